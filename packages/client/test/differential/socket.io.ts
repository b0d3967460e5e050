import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { traceSocket } from '@otel-ws/client/socket.io'
import { turns } from '@otel-ws/testkit'
import { type Log, type Logs, type Options, recordLogs, type Subject, subject } from '@otel-ws/testkit/differential'
import fc from 'fast-check'
import { Server, type Socket as ServerSocket } from 'socket.io'
import { type Socket as ClientSocket, connect } from 'socket.io-client'
import { clientOptions } from './options.ts'

type Registration = 'on' | 'once' | 'onAny' | 'prependAny' | 'onAnyOutgoing'
type Behaviour = 'nothing' | 'answer' | 'emit' | 'emit later' | 'reject' | 'remove itself' | 'disconnect'

interface ListenerSpec {
  readonly how: Registration
  readonly does: Behaviour
}

type Step =
  | { readonly do: 'client emits'; readonly args: readonly unknown[]; readonly flag: 'none' | 'volatile' | 'compress' }
  | { readonly do: 'client asks'; readonly data: unknown; readonly how: 'callback' | 'promise' | 'timeout' | 'never' }
  | { readonly do: 'server emits'; readonly args: readonly unknown[] }
  | { readonly do: 'server asks'; readonly data: unknown }
  | { readonly do: 'listen'; readonly listener: ListenerSpec }
  | { readonly do: 'stop listening'; readonly nth: number }
  | { readonly do: 'client disconnects' | 'client connects' | 'server disconnects' | 'server cuts' | 'look' }

/** A random application that uses a client of Socket.IO. */
export interface SocketIoScript {
  readonly early: readonly unknown[]
  readonly listeners: readonly ListenerSpec[]
  readonly steps: readonly Step[]
}

const data = fc.oneof(
  fc.constantFrom<unknown[]>(null, 0, '', 'text', true, [], {}, { a: { b: [1, 'ä😀'] } }, { _otel: 1 }),
  fc.jsonValue({ maxDepth: 2 }),
  fc.constant(Buffer.from([1, 2, 3])),
)
const args = fc.array(data, { maxLength: 3 })
const listener: fc.Arbitrary<ListenerSpec> = fc.record({
  how: fc.constantFrom<Registration[]>('on', 'once', 'onAny', 'prependAny', 'onAnyOutgoing'),
  does: fc.constantFrom<Behaviour[]>(
    'nothing',
    'answer',
    'emit',
    'emit later',
    'reject',
    'remove itself',
    'disconnect',
  ),
})

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      do: fc.constant('client emits' as const),
      args,
      flag: fc.constantFrom('none' as const, 'volatile' as const, 'compress' as const),
    }),
  },
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constant('client asks' as const),
      data,
      how: fc.constantFrom('callback' as const, 'promise' as const, 'timeout' as const, 'never' as const),
    }),
  },
  { weight: 8, arbitrary: fc.record({ do: fc.constant('server emits' as const), args }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('server asks' as const), data }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('listen' as const), listener }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('stop listening' as const), nth: fc.nat({ max: 9 }) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('client disconnects' as const) }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('client connects' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('server disconnects' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('server cuts' as const) }) },
)

/** Random applications with a client of Socket.IO, against a bare server. */
export const socketIoSubject: Subject = subject(
  'socket.io-client',
  fc.record({
    early: args,
    listeners: fc.array(listener, { maxLength: 3 }),
    steps: fc.array(step, { minLength: 1, maxLength: 8 }),
  }),
  run,
)

async function run(script: SocketIoScript, telemetry: Options): Promise<Logs> {
  return recordLogs(async (log) => {
    const http = createServer()
    const io = new Server(http)
    http.listen(0, '127.0.0.1')
    await once(http, 'listening')
    const { port } = http.address() as AddressInfo
    const options = { forceNew: true, autoConnect: false, reconnection: false, transports: ['websocket'] }
    const bare = connect(`http://127.0.0.1:${port}`, options)
    const socket = telemetry === undefined ? bare : traceSocket(bare, clientOptions(telemetry))
    try {
      await new Conversation(script, socket, io, log).perform()
    } finally {
      socket.disconnect()
      http.closeAllConnections()
      await io.close()
    }
  })
}

class Conversation {
  readonly #script: SocketIoScript
  readonly #socket: ClientSocket
  readonly #log: Log
  readonly #removers: (() => void)[] = []
  #server: ServerSocket | undefined
  #barriers = 0

  constructor(script: SocketIoScript, socket: ClientSocket, io: Server, log: Log) {
    this.#script = script
    this.#socket = socket

    this.#log = log
    socket.on('connect', () => log.add('client', 'connect', socket.connected))
    socket.on('disconnect', (reason) => log.add('client', 'disconnect', reason, socket.connected))
    io.on('connection', (server) => {
      this.#server = server
      server.onAny((name, ...values) => {
        if (name === 'sync') return
        log.add('server', name, ...values)
      })
      server.on('sync', (n, answer) => answer(n))
      server.on('ask', (value, answer) => answer(value, 'answered'))
      server.on('disconnect', (reason) => log.add('server', 'disconnect', reason))
    })
    for (const one of script.listeners) this.#listen(one)
  }

  async perform(): Promise<void> {
    this.#call('emit', () => this.#socket.emit('early', ...this.#script.early))
    await this.#connect()
    for (const step of this.#script.steps) {
      await this.#perform(step)
      await this.#settle()
    }
    // What was emitted meanwhile is kept for the next connection, and its spans are open until then.
    await this.#connect()
  }

  async #connect(): Promise<void> {
    if (this.#socket.connected) return
    const connected = new Promise((resolve) => this.#socket.once('connect', () => resolve(undefined)))
    this.#call('connect', () => this.#socket.connect() === this.#socket)
    await connected
    await this.#settle()
  }

  async #settle(): Promise<void> {
    await this.#barrier()
    await turns(6)
    await this.#barrier()
  }

  /** Waits until both ends have read what the other has written, or until both have disconnected. */
  async #barrier(): Promise<void> {
    const server = this.#server
    const n = this.#barriers++
    if (this.#socket.connected && server?.connected) {
      const gone = new Promise((resolve) => this.#socket.once('disconnect', resolve))
      await Promise.race([gone, new Promise((resolve) => this.#socket.emit('sync', n, resolve))])
    }
    for (let turn = 0; turn < 1000 && this.#socket.connected !== server?.connected; turn++) await turns(1)
  }

  async #perform(step: Step): Promise<void> {
    const socket = this.#socket
    const server = this.#server as ServerSocket
    const log = this.#log
    switch (step.do) {
      case 'client emits': {
        const target =
          step.flag === 'none' ? socket : step.flag === 'volatile' ? socket.volatile : socket.compress(true)
        this.#call('emit', () => target.emit('event', ...step.args) === socket)
        break
      }
      case 'client asks':
        await this.#ask(step.how, step.data)
        break
      case 'server emits':
        server.emit('event', ...step.args)
        break
      case 'server asks':
        void server
          .timeout(1000)
          .emitWithAck('event', step.data)
          .then(
            (answer) => log.add('server', 'answer', answer),
            () => {},
          )
        break
      case 'listen':
        this.#listen(step.listener)
        break
      case 'stop listening':
        if (this.#removers.length > 0) this.#removers[step.nth % this.#removers.length]?.()
        break
      case 'client disconnects':
        this.#call('disconnect', () => socket.disconnect() === socket)
        break
      case 'client connects':
        await this.#connect()
        break
      case 'server disconnects':
        server.disconnect()
        break
      case 'server cuts':
        server.conn.close()
        break
      case 'look': {
        const { connected, disconnected, active, sendBuffer, receiveBuffer } = socket
        log.add('client', connected, disconnected, active, sendBuffer.length, receiveBuffer.length)
        log.add('client', Object.keys(socket).sort(), socket.listeners('event').length, socket.hasListeners('event'))
        log.add('client', socket.listenersAny().length, socket.listenersAnyOutgoing().length, socket.emit.length)
      }
    }
  }

  /** Resolves when a question that cannot be answered has failed; for others, at once. */
  async #ask(how: 'callback' | 'promise' | 'timeout' | 'never', data: unknown): Promise<void> {
    const socket = this.#socket
    const note = (...results: unknown[]): void => this.#log.add('client', how, ...results)
    const fail = (error: Error): void => note('failed', error.message)
    switch (how) {
      case 'callback':
        socket.emit('ask', data, note)
        break
      case 'promise':
        socket.emitWithAck('ask', data).then(note, fail)
        break
      case 'timeout':
        if (socket.connected) socket.timeout(5000).emit('ask', data, note)
        else {
          await new Promise<void>((resolve) => {
            socket.timeout(5).emit('ask', data, (...results: unknown[]) => {
              note(...results)
              resolve()
            })
          })
        }
        break
      case 'never':
        socket.emit('unanswered', data, note)
    }
  }

  #call(method: string, call: () => unknown): void {
    try {
      this.#log.add('client', method, 'returned', call())
    } catch (error) {
      this.#log.add('client', method, 'threw', error)
    }
  }

  #listen({ how, does }: ListenerSpec): void {
    const socket = this.#socket
    const log = this.#log
    const name = `listener ${this.#removers.length}`
    const isAny = how !== 'on' && how !== 'once'
    const react = (args: unknown[]): unknown => this.#react(does, args, remove, how === 'onAnyOutgoing')
    const listener = ofKind(does, function (this: unknown, ...args: unknown[]): unknown {
      // The barriers are no part of the application.
      if (isAny && args[0] === 'sync') return undefined
      log.add('client', name, this === socket, ...args.map((value) => (typeof value === 'function' ? 'ack' : value)))
      return react(args)
    })
    let remove: () => void = () => socket.off('event', listener)
    if (isAny) {
      socket[how](listener)
      remove = () => (how === 'onAnyOutgoing' ? socket.offAnyOutgoing(listener) : socket.offAny(listener))
    } else socket[how]('event', listener)
    this.#removers.push(() => remove())
  }

  #react(does: Behaviour, args: unknown[], remove: () => void, isOutgoing: boolean): unknown {
    const socket = this.#socket
    switch (does) {
      case 'answer': {
        const answer = args.at(-1)
        return typeof answer === 'function' && !isOutgoing ? answer('an answer') : undefined
      }
      case 'emit':
        return isOutgoing ? undefined : socket.emit('reaction', args.length)
      case 'emit later':
        return isOutgoing ? undefined : turns(2).then(() => socket.emit('late reaction'))
      case 'reject':
        return Promise.reject(new RangeError('rejected'))
      case 'remove itself':
        return remove()
      case 'disconnect':
        return isOutgoing ? undefined : socket.disconnect()
      default:
        return undefined
    }
  }
}

function ofKind(does: Behaviour, listener: (this: unknown, ...args: unknown[]) => unknown) {
  if (does !== 'emit later' && does !== 'reject') return listener
  return async function (this: unknown, ...args: unknown[]) {
    return listener.apply(this, args)
  }
}
