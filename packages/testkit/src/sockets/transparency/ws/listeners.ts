import { on, once } from 'node:events'
import { encodeFrame, OPCODE } from '../../../testing/frames.ts'
import type { WsScript } from '../ws-stage.ts'
import { inConnection, logLists, named } from './in-connection.ts'

/** Listeners: how they are added, listed, removed and called. */
export const listenerScripts: Readonly<Record<string, WsScript>> = {
  'the lists of listeners, at each step': inConnection(
    (socket, stage) => {
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => named(stage, name)) as [
        () => void,
        () => void,
        () => void,
        () => void,
      ]
      logLists(socket, stage, 'at first')
      socket.on('message', a)
      socket.addListener('message', b)
      socket.prependListener('message', c)
      socket.once('message', d)
      socket.prependOnceListener('message', d)
      socket.on('message', a)
      logLists(socket, stage, 'added')
      socket.off('message', a)
      socket.removeListener('message', b)
      logLists(socket, stage, 'removed')
      socket.onmessage = (event) => stage.log('onmessage', event.data, event.type, event.target === socket)
      socket.addEventListener('message', (event) => stage.log('event', event.data))
      logLists(socket, stage, 'event listeners')
    },
    ['one', 'two'],
    (socket, stage) => logLists(socket, stage, 'afterwards'),
  ),

  'removal of a listener that was added once': inConnection(
    (socket, stage) => {
      const listener = named(stage, 'listener')
      socket.once('message', listener)
      stage.log(socket.listeners('message').includes(listener))
      socket.off('message', listener)
      stage.log(socket.listenerCount('message'))
    },
    ['one'],
  ),

  'removal of all listeners': inConnection(
    (socket, stage) => {
      socket.on('message', named(stage, 'listener'))
      socket.removeAllListeners('message')
      stage.log(socket.eventNames())
      socket.on('message', named(stage, 'later'))
    },
    ['one'],
  ),

  async 'removal of every listener of every event'(stage) {
    const host = await stage.serve({
      connection(socket) {
        socket.on('message', named(stage, 'removed'))
        stage.log(socket.removeAllListeners() === socket, socket.eventNames())
        socket.on('error', () => {})
        socket.on('message', (data) => socket.send(data.toString()))
        socket.on('close', (code) => stage.log('close', code))
      },
    })
    const client = await stage.rawConnect(host)
    client.send(OPCODE.text, 'x')
    stage.log((await client.nextFrame()).payload)
    client.send(OPCODE.close)
    stage.log(await client.closed)
  },

  'removal of an event listener by its handler': inConnection(
    (socket, stage) => {
      const handler = named(stage, 'handler')
      const object = {
        handleEvent(this: unknown) {
          stage.log('handled', this === object)
        },
      }
      socket.addEventListener('message', handler)
      socket.addEventListener('message', object as never)
      socket.removeEventListener('message', handler)
      stage.log(socket.listenerCount('message'))
      socket.onmessage = () => stage.log('first')
      socket.onmessage = () => stage.log('second')
      stage.log(typeof socket.onmessage, socket.listenerCount('message'))
    },
    ['one'],
    (socket, stage) => {
      socket.onmessage = null
      stage.log(socket.onmessage, socket.listenerCount('message'))
    },
  ),

  'changes of the list while it is called': inConnection(
    (socket, stage) => {
      const removed = named(stage, 'removed')
      const added = named(stage, 'added')
      const first = (): void => {
        stage.log('first')
        socket.off('message', removed)
        socket.off('message', first)
        socket.on('message', added)
      }
      socket.on('message', first)
      socket.on('message', removed)
    },
    ['one', 'two'],
    (socket, stage) => logLists(socket, stage, 'afterwards'),
  ),

  'this and the arguments of listeners': inConnection(
    (socket, stage) => {
      socket.on('message', function (this: unknown, ...args) {
        stage.log(this === socket, args.length, args)
      })
      socket.once('message', function (this: unknown, ...args) {
        stage.log('once', this === socket, args.length)
      })
      socket.onmessage = function (this: unknown, event) {
        stage.log('onmessage', this === socket, event.data, event.target === socket)
      }
    },
    ['one', 'two'],
  ),

  'newListener and removeListener events': inConnection(
    (socket, stage) => {
      for (const event of ['newListener', 'removeListener']) {
        socket.on(event, (name: string, listener: unknown) => name === 'message' && stage.log(event, name, listener))
      }
      const listener = named(stage, 'listener')
      socket.on('message', listener)
      socket.once('message', listener)
      socket.off('message', listener)
    },
    ['one', 'two'],
  ),

  'events.once and events.on': async (stage) => {
    const host = await stage.serve({
      async connection(socket) {
        const first = once(socket, 'message')
        socket.send('listening')
        stage.log(await first)
        let seen = 0
        const messages = on(socket, 'message')
        socket.send('listening on')
        for await (const args of messages) {
          stage.log(args)
          if (++seen === 2) break
        }
        stage.log(socket.listenerCount('message'))
        socket.send('end')
      },
    })
    const client = await stage.rawConnect(host)
    stage.log((await client.nextFrame()).payload)
    client.write(encodeFrame(OPCODE.text, 'a'))
    stage.log((await client.nextFrame()).payload)
    client.write(encodeFrame(OPCODE.text, 'b'), encodeFrame(OPCODE.text, 'c'))
    stage.log((await client.nextFrame()).payload)
  },
}
