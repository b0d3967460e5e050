import { once } from 'node:events'
import { traceWebSocket } from '@otel-ws/client'
import { turns } from '@otel-ws/testkit'
import { type Log, type Logs, type Options, recordLogs, type Subject, subject } from '@otel-ws/testkit/differential'
import fc from 'fast-check'
import type { WebSocket as ServerSocket } from 'ws'
import { type ClientKind, close, listen } from '../clients.ts'
import { clientOptions } from './options.ts'

type Behaviour = 'nothing' | 'echo' | 'echo later' | 'reject' | 'remove itself' | 'add another' | 'close'
type Registration = 'addEventListener' | 'once' | 'onmessage' | 'object' | 'on'

interface ListenerSpec {
  readonly how: Registration
  readonly does: Behaviour
}

type Step =
  | { readonly do: 'client sends'; readonly data: readonly number[] }
  | { readonly do: 'server sends'; readonly data: readonly string[]; readonly binary: boolean }
  | { readonly do: 'listen'; readonly listener: ListenerSpec }
  | { readonly do: 'stop listening'; readonly nth: number }
  | { readonly do: 'binary type'; readonly type: BinaryType }
  | { readonly do: 'client closes'; readonly code: number | undefined; readonly reason: string | undefined }
  | { readonly do: 'server closes'; readonly code: number | undefined }
  | { readonly do: 'server terminates' | 'look' }

/** A random application that uses a client. */
export interface ClientScript {
  readonly sendsEarly: boolean
  readonly listeners: readonly ListenerSpec[]
  readonly steps: readonly Step[]
}

const DATA: readonly unknown[] = [
  'text',
  '',
  '{"type":"say","n":1}',
  'ä€😀',
  new Uint8Array([0, 1, 255]),
  new Uint8Array([1, 2, 3]).buffer,
  new DataView(new ArrayBuffer(2)),
  7,
  'z'.repeat(66_000),
]

const listener: fc.Arbitrary<ListenerSpec> = fc.record({
  how: fc.constantFrom<Registration[]>('addEventListener', 'once', 'onmessage', 'object', 'on'),
  does: fc.constantFrom<Behaviour[]>(
    'nothing',
    'echo',
    'echo later',
    'reject',
    'remove itself',
    'add another',
    'close',
  ),
})

const texts = fc.array(
  fc.oneof(fc.constantFrom('', 'a', '{"type":"said"}', '{}', 'ä😀'), fc.string({ maxLength: 20 }), fc.json()),
  { minLength: 1, maxLength: 4 },
)
const codes = [undefined, 1000, 3000, 4999] as const

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 10,
    arbitrary: fc.record({
      do: fc.constant('client sends' as const),
      data: fc.array(fc.nat({ max: DATA.length - 1 }), { minLength: 1, maxLength: 3 }),
    }),
  },
  {
    weight: 10,
    arbitrary: fc.record({ do: fc.constant('server sends' as const), data: texts, binary: fc.boolean() }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('listen' as const), listener }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('stop listening' as const), nth: fc.nat({ max: 9 }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('binary type' as const),
      type: fc.constantFrom('arraybuffer' as const, 'blob' as const),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('look' as const) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('client closes' as const),
      code: fc.constantFrom(...codes, 1001, 99_999),
      reason: fc.constantFrom(undefined, 'bye', 'r'.repeat(200)),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({ do: fc.constant('server closes' as const), code: fc.constantFrom(...codes, 1001, 1011) }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('server terminates' as const) }) },
)

const scripts: fc.Arbitrary<ClientScript> = fc.record({
  sendsEarly: fc.boolean(),
  listeners: fc.array(listener, { maxLength: 3 }),
  steps: fc.array(step, { minLength: 1, maxLength: 8 }),
})

/** Random applications with a client of one kind, against a bare server. */
export function clientSubject(kind: ClientKind): Subject {
  return subject(kind.name, scripts, (script, telemetry) => run(kind, script, telemetry))
}

async function run(kind: ClientKind, script: ClientScript, telemetry: Options): Promise<Logs> {
  return recordLogs(async (log) => {
    const { wss, url } = await listen()
    const accepted = once(wss, 'connection') as Promise<[ServerSocket]>
    const bare = kind.connect(url)
    const socket = telemetry === undefined ? bare : traceWebSocket(bare, clientOptions(telemetry))
    try {
      await new Conversation(script, socket, log, kind.name === 'ws').perform(accepted)
    } finally {
      await close(wss)
    }
  })
}

class Conversation {
  readonly #script: ClientScript
  readonly #socket: WebSocket
  readonly #log: Log
  readonly #isWs: boolean
  readonly #removers: (() => void)[] = []
  readonly #closed: Promise<unknown>
  #isOpen = true
  #barriers = 0

  constructor(script: ClientScript, socket: WebSocket, log: Log, isWs: boolean) {
    this.#script = script
    this.#socket = socket
    this.#log = log
    this.#isWs = isWs
    this.#closed = new Promise<void>((resolve) => {
      socket.addEventListener('close', ({ code, reason, wasClean }) => {
        this.#isOpen = false
        log.add('client', 'close', code, reason, wasClean, socket.readyState)
        resolve()
      })
    })
    socket.addEventListener('error', ({ type }) => log.add('client', type))
    socket.addEventListener('open', ({ type }) => log.add('client', type, socket.readyState))
    for (const listener of script.listeners) this.#listen(listener)
  }

  async perform(accepted: Promise<[ServerSocket]>): Promise<void> {
    if (this.#script.sendsEarly) this.#call('send', () => this.#socket.send('early'))
    const opened = new Promise((resolve) => this.#socket.addEventListener('open', resolve))
    const [server] = await accepted
    server.on('message', (data, binary) => this.#log.add('server', binary, String(data)))
    server.on('error', () => {})
    const serverClosed = new Promise<void>((resolve) => {
      server.on('close', (code, reason) => {
        this.#log.add('server', 'close', code, String(reason))
        resolve()
      })
    })
    await opened
    for (const step of this.#script.steps) {
      this.#perform(server, step)
      await this.#settle(server, serverClosed)
    }
    if (this.#isOpen) this.#socket.close(1000)
    await this.#closed
    await serverClosed
  }

  async #settle(server: ServerSocket, serverClosed: Promise<void>): Promise<void> {
    await this.#barrier(server, serverClosed)
    await turns(6)
    await this.#barrier(server, serverClosed)
  }

  /** Waits until both ends have read what the other has written. */
  async #barrier(server: ServerSocket, serverClosed: Promise<void>): Promise<void> {
    if (server.readyState === server.OPEN) {
      const payload = `barrier ${this.#barriers++}`
      const answered = new Promise<void>((resolve) => {
        server.on('pong', function listen(data) {
          if (String(data) !== payload) return
          server.off('pong', listen)
          resolve()
        })
      })
      server.ping(payload)
      await Promise.race([answered, serverClosed])
    }
    if (server.readyState === server.OPEN && this.#socket.readyState === 1) return
    await serverClosed
    await this.#closed
    await turns(6)
  }

  #perform(server: ServerSocket, step: Step): void {
    const socket = this.#socket
    switch (step.do) {
      case 'client sends':
        for (const index of step.data) this.#call('send', () => socket.send(DATA[index] as string))
        break
      case 'server sends':
        for (const data of step.data) server.send(data, { binary: step.binary })
        break
      case 'listen':
        this.#listen(step.listener)
        break
      case 'stop listening':
        if (this.#removers.length > 0) this.#removers[step.nth % this.#removers.length]?.()
        break
      case 'binary type':
        socket.binaryType = step.type
        break
      case 'client closes':
        this.#call('close', () => socket.close(step.code, step.reason))
        break
      case 'server closes':
        server.close(step.code)
        break
      case 'server terminates':
        server.terminate()
        break
      case 'look': {
        const { readyState, protocol, extensions, binaryType, onmessage, onclose } = socket
        const names = [typeof onmessage, onclose, socket.constructor.name, Object.keys(socket), socket.send.length]
        this.#log.add('client', readyState, protocol, extensions, binaryType, ...names)
      }
    }
  }

  #call(method: string, call: () => unknown): void {
    try {
      this.#log.add('client', method, 'returned', call())
    } catch (error) {
      this.#log.add('client', method, 'threw', (error as Error).name, (error as Error).message)
    }
  }

  #listen({ how, does }: ListenerSpec): void {
    const socket = this.#socket
    const log = this.#log
    const name = `listener ${this.#removers.length}`
    const react = (data: unknown): unknown => this.#react(does, data, remove)
    const listener = ofKind(does, function (this: unknown, ...args: unknown[]): unknown {
      const [event] = args as [MessageEvent]
      const data = how === 'on' && this === socket ? String(event) : event.data
      log.add('client', name, this === socket || this === object, args.length, textOf(data))
      return react(data)
    })
    const object = { handleEvent: listener }
    const emitter = socket as unknown as ServerSocket
    let remove: () => void = () => socket.removeEventListener('message', listener as never)
    if (how === 'onmessage') {
      socket.onmessage = listener as never
      remove = () => {
        socket.onmessage = null
      }
    } else if (how === 'object' && !this.#isWs) {
      socket.addEventListener('message', object as never)
      remove = () => socket.removeEventListener('message', object as never)
    } else if (how === 'on' && this.#isWs) {
      emitter.on('message', listener as never)
      remove = () => emitter.off('message', listener as never)
    } else socket.addEventListener('message', listener as never, { once: how === 'once' })
    this.#removers.push(() => remove())
  }

  #react(does: Behaviour, data: unknown, remove: () => void): unknown {
    const socket = this.#socket
    switch (does) {
      case 'echo':
        return socket.send(typeof data === 'string' ? data : 'binary')
      case 'echo later':
        return turns(2).then(() => socket.send('later'))
      case 'reject':
        return Promise.reject(new RangeError('rejected'))
      case 'remove itself':
        return remove()
      case 'add another':
        return this.#listen({ how: 'once', does: 'nothing' })
      case 'close':
        return socket.close(4000, 'by a listener')
      default:
        return undefined
    }
  }
}

function ofKind(does: Behaviour, listener: (this: unknown, ...args: unknown[]) => unknown) {
  if (does !== 'echo later' && does !== 'reject') return listener
  return async function (this: unknown, ...args: unknown[]) {
    return listener.apply(this, args)
  }
}

/** Blobs are read later, so their size stands for them. */
function textOf(data: unknown): unknown {
  if (data instanceof Blob) return `blob of ${data.size}`
  return data
}
