import { EventEmitter } from 'node:events'
import type { WebSocket } from 'ws'
import type { WsScript } from '../ws-stage.ts'
import { inConnection, named } from './in-connection.ts'

/** Events that the application emits itself, and an application that wraps `send` and `emit`. */
export const emitScripts: Readonly<Record<string, WsScript>> = {
  'emit by the application itself': inConnection((socket, stage) => {
    stage.log(socket.emit('message', Buffer.from('before any listener'), false))
    const symbol = Symbol('own')
    socket.on('message', (...args) => {
      stage.log('listener', ...args)
      return 'ignored'
    })
    socket.on('custom', (...args) => stage.log('custom', ...args))
    socket.on(symbol, () => stage.log('symbol'))
    stage.log(socket.emit('message', Buffer.from('direct'), true, 'extra'))
    stage.log(socket.emit('message'))
    stage.log(socket.emit('message', 'text', false), socket.emit('message', { an: 'object' }, false))
    stage.log(socket.emit('custom', 1, 2), socket.emit(symbol), socket.emit('unknown'))
    if (socket.listenerCount('error') === 0) {
      const error = new Error('unheard')
      try {
        socket.emit('error', error)
      } catch (thrown) {
        stage.log(thrown === error)
      }
    }
    const failure = new Error('listener failed')
    socket.prependOnceListener('message', () => {
      throw failure
    })
    try {
      socket.emit('message', Buffer.from('x'), false)
    } catch (thrown) {
      stage.log(thrown === failure)
    }
  }),

  'nested emits, in order': inConnection(
    (socket, stage) => {
      socket.on('message', (data) => {
        stage.log('in', data)
        if (data.toString() === 'outer') {
          stage.log(socket.emit('message', Buffer.from('inner'), false))
          stage.log(socket.emit('custom', 'aside'))
        }
        stage.log('out', data)
      })
      socket.on('message', (data) => stage.log('second', data))
      socket.on('custom', (value) => stage.log(value))
    },
    ['outer'],
  ),

  'calls of emit through the prototype': inConnection((socket, stage) => {
    socket.on('message', named(stage, 'listener'))
    stage.log(EventEmitter.prototype.emit.call(socket, 'message', Buffer.from('x'), false))
  }),

  'an application that wraps send and emit': inConnection(
    (socket, stage) => {
      const { send, emit } = socket
      socket.send = function (this: WebSocket, ...args: unknown[]) {
        stage.log('own send', this === socket, ...args)
        return (send as (...all: unknown[]) => void).apply(this, args)
      } as typeof send
      socket.emit = function (this: WebSocket, event: string, ...args: unknown[]) {
        if (event === 'message') stage.log('own emit', this === socket, ...args)
        return emit.call(this, event, ...args)
      } as typeof emit
      socket.on('message', (data) => socket.send(data.toString()))
    },
    ['one'],
    (socket, stage) => {
      delete (socket as { send?: unknown }).send
      delete (socket as { emit?: unknown }).emit
      stage.log(socket.send('after'), socket.emit('custom'))
    },
  ),
}
