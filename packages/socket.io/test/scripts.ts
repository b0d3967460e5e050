import { once } from 'node:events'
import { createServer, type Server as HttpServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { inspect } from 'node:util'
import { traceSocketServer } from '@otel-ws/socket.io'
import { connect, type ProcessError, type Queue, TestClient, withProcessErrors } from '@otel-ws/testkit'
import { Server, type ServerOptions, type Socket } from 'socket.io'
import * as msgpack from 'socket.io-msgpack-parser'
import { joinByHand, nextPacket } from './raw.ts'

type Options = Readonly<Record<string, unknown>> | undefined

/** Parameters of a script, which runs with and without telemetry. */
interface Stage {
  readonly log: (...entry: unknown[]) => void
  readonly io: Server
  readonly http: HttpServer
  readonly url: string
  /** A WebSocket that has joined the namespace by hand. */
  join(namespace?: string): Promise<TestClient>
}

interface Script {
  readonly options?: Partial<ServerOptions>
  script(stage: Stage): Promise<void>
}

/** Ids are random; what remains is the same each time. */
function withoutIds(text: string): string {
  return text.replace(/"(sid|pid)":"[\w-]{20}"/g, '"$1":"*"')
}

/** Runs a script on a server with or without telemetry and returns what it logged. */
export async function runScript({ options = {}, script }: Script, telemetry: Options): Promise<unknown[]> {
  const transcript: unknown[] = []
  const clients: TestClient[] = []
  const http = createServer()
  const io = new Server(http, options)
  const traced = telemetry && traceSocketServer(io, telemetry)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as AddressInfo
  const url = `http://127.0.0.1:${port}`
  try {
    await script({
      log: (...entry) => void transcript.push(entry),
      io,
      http,
      url,
      async join(namespace = '/') {
        const client = await connect(`ws://127.0.0.1:${port}/socket.io/?EIO=4&transport=websocket`)
        clients.push(client)
        await joinByHand(client, namespace)
        return client
      },
    })
  } finally {
    for (const client of clients) client.socket.terminate()
    http.closeAllConnections()
    await io.close()
    await traced?.shutdown()
  }
  return transcript
}

/** The frames that come until the one that a script sends last. */
async function frames(client: TestClient, last = '42["end"]'): Promise<string[]> {
  const all: string[] = []
  for (;;) {
    const { data, binary } = await client.nextMessage()
    const frame = binary ? `bytes ${data.toString('hex')}` : data.toString()
    all.push(withoutIds(frame))
    if (frame === last) return all
  }
}

function listenersOf(socket: Socket): unknown {
  return {
    names: socket.eventNames(),
    hello: socket.listeners('hello'),
    raw: socket.rawListeners('hello'),
    any: socket.listenersAny(),
    outgoing: socket.listenersAnyOutgoing(),
    counts: ['hello', 'error', 'disconnect'].map((name) => socket.listenerCount(name)),
    keys: Object.keys(socket).sort(),
    spread: Object.keys({ ...socket }).sort(),
    // Texts are ids, and differ from run to run.
    inspected: inspect(socket, { depth: 0 }).replaceAll(/'[^']*'|\d+/g, '…'),
    conn: [socket.conn.eventNames(), Object.keys(socket.conn).sort()],
    client: Object.keys(socket.client).sort(),
    emit: [socket.emit.name, socket.emit.length],
  }
}

async function unhandled(errors: Queue<ProcessError>): Promise<unknown> {
  const { event, error } = await errors.next()
  return [event, error]
}

/** Each runs on a bare server and on a traced one, and must log the same. */
export const scripts: Readonly<Record<string, Script>> = {
  'the frames of events, acknowledgements and attachments': {
    async script({ io, join, log }) {
      io.on('connection', (socket) => {
        log(socket.emit('plain'), socket.emit('values', 1, 'two', null, undefined, { three: [3] }))
        log(socket.send('message') === socket, socket.compress(false).emit('uncompressed', 'x'.repeat(2000)))
        log(socket.volatile.emit('volatile', 1))
        socket.emit('attachments', Buffer.from('abc'), { deep: [new Uint8Array([1, 2, 3])] })
        socket.emit('ask', 1, (answer: unknown) => log('acknowledged', answer))
        socket.timeout(1000).emit('ask', 2, (error: unknown, answer: unknown) => log('in time', error, answer))
        socket.on('sum', (a: number, b: number, ack: (sum: number) => void) => {
          log(ack.length, ack(a + b), ack(0))
          log(socket.emit('end'))
        })
      })
      const client = await join()
      client.send('430["first"]')
      client.send('431["second",{"n":1}]')
      client.send('4212["sum",1,2]')
      log(await frames(client))
    },
  },

  'the frames of broadcasts': {
    async script({ io, join, log }) {
      const clients = [await join(), await join(), await join('/other').catch(() => undefined)]
      log(clients.length)
      const [first] = await io.fetchSockets()
      if (first === undefined) throw new Error('nobody has joined')
      first.join('room')
      log(io.emit('to all', { n: 1 }), io.to('room').emit('to the room'), io.except('room').emit('to the others'))
      log(io.local.compress(false).emit('local', Buffer.from('abc')))
      io.on('connection', () => {})
      const [socket] = [...io.sockets.sockets.values()]
      log(socket?.broadcast.emit('from one'), socket?.to('room').emit('to the room from one'))
      const asked = io.timeout(1000).emitWithAck('question', 1)
      for (const client of clients.slice(0, 2)) client?.send('430["yes"]')
      log(await asked)
      io.emit('end')
      for (const client of clients.slice(0, 2)) log(client && (await frames(client)))
    },
  },

  'the bytes of msgpack': {
    options: { parser: msgpack },
    async script({ io, url, log }) {
      io.on('connection', (socket) => {
        socket.emit('hello', { some: ['data', Buffer.from('abc')] })
        io.emit('all', 1)
        socket.emit('end')
      })
      const client = await connect(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
      await client.next()
      const [joining] = new msgpack.Encoder().encode({ type: 0, nsp: '/' } as never) as unknown as Buffer[]
      client.send(joining as Buffer)
      for (let n = 0; n < 4; n++) {
        const { data } = await client.nextMessage()
        log(n === 0 ? data.length : data)
      }
      client.socket.terminate()
    },
  },

  'the bodies of polls': {
    async script({ io, url, log }) {
      io.on('connection', (socket) => {
        socket.on('hello', (...args: unknown[]) => {
          log(args)
          socket.emit('answer', ...args)
          io.emit('all', Buffer.from('abc'))
        })
      })
      const poll = async (query: string, init?: RequestInit) => {
        const response = await fetch(`${url}/socket.io/?EIO=4&transport=polling${query}`, init)
        const headers = [...response.headers].filter(([name]) => name !== 'date')
        const body = await response.text()
        log(response.status, headers, withoutIds(body))
        return body
      }
      const { sid } = JSON.parse((await poll('')).slice(1))
      const session = `&sid=${sid}`
      await poll(session, { method: 'POST', body: '40' })
      await poll(session)
      await poll(session, {
        method: 'POST',
        body: '42["hello",1]\u001e451-["hello",{"_placeholder":true,"num":0}]\u001ebYWJj',
      })
      await poll(session)
      await poll(session, { method: 'POST', body: '1' })
      await poll('&sid=nobody')
      await poll('', { method: 'PUT' })
    },
  },

  'who listens, and in which order': {
    async script({ io, join, log }) {
      io.on('connection', (socket) => {
        const hello = () => log('on')
        const removed = () => log('removed')
        socket.on('hello', hello)
        socket.on('hello', removed)
        socket.once('hello', () => log('once'))
        socket.addListener('hello', () => log('addListener'))
        socket.prependListener('hello', () => log('prependListener'))
        socket.prependOnceListener('hello', () => log('prependOnceListener'))
        socket.onAny((...args: unknown[]) => {
          log('onAny', args)
          queueMicrotask(() => log('microtask of onAny', args[0]))
          process.nextTick(() => log('tick of onAny', args[0]))
        })
        socket.prependAny(() => log('prependAny'))
        socket.onAnyOutgoing((...args: unknown[]) => log('onAnyOutgoing', args))
        socket.off('hello', removed)
        socket.use((event, next) => {
          log('use', event)
          if (event[0] === 'changed') event[1] = 'by a middleware'
          next()
        })
        socket.use(async (_event, next) => {
          await null
          next()
        })
        socket.on('changed', (value: unknown) => log('changed', value))
        log(listenersOf(socket))
        socket.on('bye', () => {
          log(listenersOf(socket))
          socket.offAny()
          socket.removeAllListeners('hello')
          log(listenersOf(socket))
          socket.emit('end')
        })
      })
      const client = await join()
      for (const packet of ['42["hello",1]', '42["hello"]', '42["changed","before"]', '42["nobody"]', '42["bye"]']) {
        client.send(packet)
      }
      log(await frames(client))
    },
  },

  'when a listener is called': {
    async script({ io, join, log }) {
      io.on('connection', (socket) => {
        const { onevent } = socket as unknown as { onevent(packet: unknown): void }
        log(onevent.name, onevent.length)
        socket.on('hello', (n: number) => {
          log('listener', n)
          queueMicrotask(() => log('microtask', n))
          process.nextTick(() => log('tick', n))
        })
        socket.on('bye', () => {
          // As the host calls it: what is due before and after shows when the listeners run.
          const packets = [1, 2].map((n) => ({ type: 2, nsp: '/', data: ['hello', n] }))
          for (const packet of packets) {
            onevent.call(socket, packet)
            log('returned')
          }
          setImmediate(() => socket.emit('end'))
        })
      })
      const client = await join()
      client.send('42["bye"]')
      log(await frames(client))
    },
  },

  'what the server itself shows': {
    async script({ io, http, join, log }) {
      io.on('connection', () => {})
      io.of('/other').use((_socket, next) => next())
      await join()
      log(
        http.eventNames(),
        ['request', 'upgrade', 'close', 'listening'].map((name) => http.listenerCount(name)),
      )
      log(Object.keys(io).sort(), io.engine.eventNames(), Object.keys(io.engine).sort())
      for (const namespace of io._nsps.values()) {
        log(
          namespace.name,
          namespace.eventNames(),
          Object.keys(namespace).sort(),
          Object.keys(namespace.adapter).sort(),
        )
        log(namespace.emit.name, namespace.adapter.broadcast.name, namespace.adapter.broadcast.length)
      }
    },
  },

  'errors of listeners and of middleware': {
    async script({ io, join, log }) {
      await withProcessErrors(async (errors) => {
        io.on('connection', (socket) => {
          socket.on('throw', () => {
            throw new RangeError('thrown on purpose')
          })
          socket.on('throw', () => log('not reached'))
          socket.on('reject', async () => {
            throw new RangeError('rejected on purpose')
          })
          socket.onAny((name: string) => {
            if (name === 'any') throw new TypeError('thrown by onAny')
          })
          socket.use(([name], next) => next(name === 'refused' ? new Error('refused on purpose') : undefined))
          socket.on('refused', () => log('not reached'))
          socket.on('error', (...args: unknown[]) => log('error', args))
          socket.on('bye', () => {
            try {
              socket.emit('connect')
            } catch (error) {
              log('reserved', error)
            }
            try {
              const circle: { self?: unknown } = {}
              circle.self = circle
              socket.emit('circle', circle)
            } catch (error) {
              log('circle', error instanceof TypeError || error instanceof RangeError)
            }
            socket.emit('end')
          })
        })
        const client = await join()
        client.send('42["throw"]')
        log(await unhandled(errors))
        client.send('42["reject"]')
        log(await unhandled(errors))
        client.send('42["any"]')
        log(await unhandled(errors))
        client.send('42["refused"]')
        client.send('42["error","from the client"]')
        client.send('42["bye"]')
        log(await frames(client))
      })
    },
  },

  'rejections that the socket captures': {
    async script({ io, join, log }) {
      io.on('connection', (socket) => {
        ;(socket as unknown as Record<symbol, unknown>)[Symbol.for('nodejs.rejection')] = (
          error: unknown,
          name: string,
          ...args: unknown[]
        ) => {
          log('captured', error, name, args)
          socket.emit('end')
        }
        const [capture] = Object.getOwnPropertySymbols(socket).filter(({ description }) => description === 'kCapture')
        if (capture !== undefined) (socket as unknown as Record<symbol, unknown>)[capture] = true
        log(capture !== undefined)
        socket.on('reject', async () => {
          throw new RangeError('rejected on purpose')
        })
      })
      const client = await join()
      client.send('42["reject",1,2]')
      log(await frames(client))
    },
  },

  'the end of a socket, and what comes after': {
    async script({ io, join, log }) {
      let gaveUp: () => void = () => {}
      const unanswered = new Promise<void>((resolve) => {
        gaveUp = resolve
      })
      const gone = new Promise<Socket>((resolve) => {
        io.once('connection', (socket) => {
          socket.join('room')
          socket.on('disconnecting', (...args: unknown[]) => log('disconnecting', args, [...socket.rooms].length))
          socket.on('disconnect', (...args: unknown[]) => {
            log('disconnect', args, socket.rooms.size)
            resolve(socket)
          })
          socket.on('late', () => log('not reached'))
          socket.timeout(1000).emit('ask', (error: unknown) => {
            log('never acknowledged', error)
            gaveUp()
          })
        })
      })
      const client = await join()
      client.send('41')
      client.send('42["late"]')
      const socket = await gone
      log(socket.connected, socket.emit('after', 1), socket.disconnect() === socket, io.to('room').emit('nobody'))
      await unanswered
      const again = await join()
      const [second] = [...io.sockets.sockets.values()]
      log(second?.disconnect(true) === second)
      log(await again.closed)
    },
  },

  'packets that are no packets': {
    async script({ io, join, log }) {
      io.on('connection', (socket) => {
        socket.on('error', (error: unknown) => log('error', error))
        socket.on('disconnect', (reason: string) => log('disconnect', reason))
      })
      for (const packet of [
        '42{"no":"array"}',
        '42[]',
        '9',
        '42/elsewhere,["hello"]',
        '4',
        '499["ack of nothing"]41',
      ]) {
        const client = await join()
        client.send(packet)
        client.send('41')
        client.send('1')
        log(packet, await client.closed)
      }
    },
  },

  'clients that are turned down': {
    async script({ io, url, log }) {
      class Refused extends Error {
        readonly data = { reason: 'on purpose' }
      }
      io.use((_socket, next) => next(new Refused('not you')))
      io.of(/^\/dynamic-\d$/).use((_socket, next) => next())
      for (const namespace of ['/', '/dynamic-1', '/dynamic-x']) {
        const client = await connect(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
        log(withoutIds(await client.next()))
        client.send(namespace === '/' ? '40' : `40${namespace},`)
        log(withoutIds(await nextPacket(client)))
        client.socket.terminate()
      }
      const refused = new TestClient(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=none`)
      await refused.opened.catch((error: unknown) => log(error))
    },
  },
}
