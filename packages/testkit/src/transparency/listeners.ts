import { EventEmitter, getEventListeners, on, once } from 'node:events'
import type { WebSocket } from 'ws'
import { encodeFrame, OPCODE } from '../frames.ts'
import { type Script, type Stage, turns } from './stage.ts'

/** Runs `act` in the connection handler, then sends `messages` and waits until the server has said `end`. */
function inConnection(
  act: (socket: WebSocket, stage: Stage) => void,
  messages: string[] = [],
  afterwards: (socket: WebSocket, stage: Stage) => unknown = () => {},
): Script {
  return async (stage) => {
    const host = await stage.serve({
      connection(socket) {
        act(socket, stage)
        const emit = EventEmitter.prototype.on
        emit.call(socket, 'pong', (data: Buffer) => data.toString() === 'end' && socket.ping('end'))
      },
    })
    const client = await stage.rawConnect(host)
    const [socket] = host.wss.clients
    client.write(...messages.map((text) => encodeFrame(OPCODE.text, text)), encodeFrame(OPCODE.pong, 'end'))
    while ((await client.nextFrame()).opcode !== OPCODE.ping) {}
    await turns()
    if (socket) await afterwards(socket, stage)
  }
}

function lists(socket: EventEmitter, stage: Stage, when: string): void {
  for (const event of ['message', 'close', 'error', 'open', 'ping']) {
    stage.log(
      when,
      event,
      socket.listenerCount(event),
      socket.listeners(event),
      socket.rawListeners(event),
      socket.rawListeners(event).map((raw) => (raw as { listener?: unknown }).listener),
      getEventListeners(socket, event),
    )
  }
  stage.log(when, socket.eventNames())
}

function named(stage: Stage, name: string): (...args: unknown[]) => void {
  const listener = (...args: unknown[]): void => stage.log(name, ...args)
  Object.defineProperty(listener, 'name', { value: name })
  return listener
}

/** Listeners: how they are added, listed, removed and called. */
export const listenerScripts: Readonly<Record<string, Script>> = {
  'the lists of listeners, at each step': inConnection(
    (socket, stage) => {
      const [a, b, c, d] = ['a', 'b', 'c', 'd'].map((name) => named(stage, name)) as [
        () => void,
        () => void,
        () => void,
        () => void,
      ]
      lists(socket, stage, 'at first')
      socket.on('message', a)
      socket.addListener('message', b)
      socket.prependListener('message', c)
      socket.once('message', d)
      socket.prependOnceListener('message', d)
      socket.on('message', a)
      lists(socket, stage, 'added')
      socket.off('message', a)
      socket.removeListener('message', b)
      lists(socket, stage, 'removed')
      socket.onmessage = (event) => stage.log('onmessage', event.data, event.type, event.target === socket)
      socket.addEventListener('message', (event) => stage.log('event', event.data))
      lists(socket, stage, 'event listeners')
    },
    ['one', 'two'],
    (socket, stage) => lists(socket, stage, 'afterwards'),
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
    (socket, stage) => lists(socket, stage, 'afterwards'),
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

  'emit by the application itself': inConnection((socket, stage) => {
    stage.log(socket.emit('message', Buffer.from('nobody'), false))
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

  'the face of the socket': inConnection((socket, stage) => {
    stage.log(Object.keys(socket))
    stage.log(
      Object.getOwnPropertySymbols(socket).filter((key) => Object.getOwnPropertyDescriptor(socket, key)?.enumerable),
    )
    stage.log(
      Object.keys({ ...socket }),
      socket.constructor.name,
      Object.getPrototypeOf(socket) === socket.constructor.prototype,
    )
    const methods = [
      'send',
      'emit',
      'on',
      'once',
      'off',
      'close',
      'terminate',
      'ping',
      'pong',
      'addEventListener',
    ] as const
    for (const method of methods) stage.log(method, socket[method].length)
    stage.log(
      socket.getMaxListeners(),
      socket.binaryType,
      socket.readyState,
      socket.protocol,
      socket.extensions,
      socket.url,
    )
    stage.log(Object.isExtensible(socket), `${socket}`)
  }),

  async 'the face of the servers and the request'(stage) {
    const host = await stage.serve({
      connection(_socket, request) {
        stage.log(Object.keys(request).sort(), request.eventNames(), request.url, request.headers.upgrade)
        stage.log(request.socket.eventNames().map(String).sort())
        for (const event of request.socket.eventNames()) {
          stage.log(String(event), request.socket.listenerCount(event))
        }
      },
    })
    await stage.connect(host)
    for (const server of [host.wss, host.http] as EventEmitter[]) {
      stage.log(Object.keys(server).sort(), server.eventNames().map(String))
      for (const event of server.eventNames()) stage.log(String(event), server.listenerCount(event))
    }
    stage.log(host.wss.handleUpgrade.length, host.wss.emit.length, host.wss.close.length)
    stage.log(host.wss.clients.size, Object.keys(host.wss.options).sort())
  },

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

  async 'returned values'(stage) {
    const host = await stage.serve({
      connection(socket) {
        stage.log(socket.ping(), socket.pong(), socket.send('x'), socket.pause(), socket.resume())
        stage.log(socket.on('x', () => {}) === socket, socket.setMaxListeners(5) === socket)
        stage.log(socket.close(1000), socket.close(), socket.terminate(), socket.readyState)
      },
    })
    const client = await stage.rawConnect(host)
    await client.closed
  },
}
