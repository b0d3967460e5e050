import { setImmediate } from 'node:timers/promises'
import { Telemetry as Sdk } from '@otel-ws/testkit'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { Connection } from '../src/connection/connection.ts'
import type { Process } from '../src/connection/process.ts'
import type { Stream } from '../src/connection/stream.ts'
import type { TelemetryOptions } from '../src/options/types.ts'
import type { HostDriver } from '../src/services/driver.ts'
import { createTelemetry } from '../src/telemetry.ts'

const driver: HostDriver<object, string> = {
  text: (data, start, end) => data.slice(start, end),
  bufferedAmount: () => 0,
}

/** What can happen to a server, in any order. `on` and `of` choose a connection and what is pending on it. */
const event = fc.record({
  what: fc.constantFrom(
    'open',
    'message',
    'failing message',
    'async message',
    'streaming message',
    'settle',
    'fail',
    'send',
    'late flush',
    'fan-out',
    'not open',
    'turn',
    'close',
    'shutdown',
  ),
  on: fc.nat(7),
  of: fc.nat(7),
})
type Event = typeof event extends fc.Arbitrary<infer T> ? T : never

let scopes = 0

function fail(): never {
  throw new TypeError('x')
}

/** A server of which everything that happens is counted by hand. */
class Model {
  readonly sdk = new Sdk()
  readonly telemetry
  readonly connections: Connection[] = []
  readonly pending: ((error?: Error) => void)[] = []
  readonly #streams = new Map<Stream, Connection>()
  opened = 0
  received = 0
  failed = 0
  sent = 0
  notOpen = 0
  broadcasts = 0

  constructor(options: TelemetryOptions) {
    this.sdk.install()
    const all = {
      route: '/r',
      maxSpansPerSecond: false as const,
      maxMessageSpansPerSecond: Number.POSITIVE_INFINITY,
      ...options,
    }
    this.telemetry = createTelemetry(all, { name: `lifecycle ${++scopes}`, version: '1' }, driver)
  }

  async apply({ what, on, of }: Event): Promise<void> {
    if (what === 'turn') await setImmediate()
    else if (what === 'shutdown') await this.telemetry.shutdown()
    else if (what === 'open' || this.connections.length === 0) this.#open()
    else if (what === 'settle' || what === 'fail')
      this.pending.splice(of % (this.pending.length || 1), 1)[0]?.(what === 'fail' ? new Error('x') : undefined)
    else this.#happen(what, this.connections[on % this.connections.length] as Connection)
  }

  #open(): void {
    const connection = this.telemetry.handshake({ url: '/', headers: {} })?.accept({})
    if (connection === undefined) throw new Error('ignored')
    this.opened++
    this.connections.push(connection)
    connection.startOpen()?.run((open) => open.follow(undefined, fail), 0, 0, 0)
  }

  #happen(what: Event['what'], connection: Connection): void {
    switch (what) {
      case 'message':
        this.#receive(connection, () => this.#send(connection))
        break
      case 'failing message':
        this.failed++
        expect(() => this.#receive(connection, fail)).toThrow(TypeError)
        break
      case 'async message':
        this.#receive(connection, (process) => process.follow(this.#unsettled(), fail, true))
        break
      case 'streaming message':
        this.#receive(connection, () => this.#stream(connection))
        break
      case 'send':
        this.#send(connection)
        break
      case 'late flush':
        this.#send(connection, true)
        break
      case 'fan-out':
        this.#fanOut()
        break
      case 'not open':
        this.notOpen++
        connection.sendSkipped(`lost ${this.notOpen}`, false, 1)
        break
      case 'close':
        this.#close(connection)
    }
  }

  #unsettled(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.pending.push((error) => {
        if (error === undefined) resolve()
        else {
          this.failed++
          reject(error)
        }
      })
    })
  }

  #stream(connection: Connection): void {
    const stream = connection.stream()
    stream.item()
    this.#streams.set(stream, connection)
    this.pending.push(() => {
      stream.end()
      this.#streams.delete(stream)
    })
  }

  #close(connection: Connection): void {
    this.connections.splice(this.connections.indexOf(connection), 1)
    connection.close({ received: 1000 })
    for (const [stream, of] of this.#streams) {
      if (of !== connection) continue
      // Its message is answered in part only.
      this.failed++
      this.#streams.delete(stream)
    }
  }

  #receive(connection: Connection, handler: (process: Process) => void): void {
    this.received++
    const process = connection.startReceive({ data: 'x', binary: false, size: 1 })
    if (process === undefined) throw new Error('not observed')
    process.run(handler, 0, 0, 0)
  }

  #send(connection: Connection, late = false): void {
    this.sent++
    const message = connection.startSend(`message ${this.sent}`, false, 1)
    message?.sent(connection, connection.countSent(false, 1))
    if (late) this.pending.push(() => message?.flushed())
    else message?.flushed()
  }

  #fanOut(): void {
    if (this.connections.length < 2) return
    this.broadcasts++
    const data = `news ${this.broadcasts}`
    for (const connection of this.connections) {
      this.sent++
      const message = connection.startSend(data, false, 1)
      message?.sent(connection, connection.countSent(false, 1))
      message?.flushed()
    }
  }

  /** Lets everything that is pending settle, and closes what is open. */
  async end(): Promise<void> {
    for (const settle of this.pending.splice(0)) settle()
    await setImmediate()
    for (const connection of this.connections.splice(0)) {
      connection.close()
      connection.close({ received: 1011 })
    }
    await setImmediate()
    await this.telemetry.shutdown()
  }

  async sum(name: string): Promise<number> {
    const rows = await this.sdk.collect(`websocket.server.${name}`)
    return rows.reduce((sum, row) => sum + (row.value ?? row.count ?? 0), 0)
  }
}

describe('whatever happens, in whatever order', () => {
  it.each(['linked', 'connection'] as const)('every span ends once and every figure is exact: %s', async (traces) => {
    await fc.assert(
      fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
        const model = new Model({ traces, maxConnectionSpanMessages: 3 })
        const { sdk } = model
        try {
          for (const one of events) await model.apply(one)
          await model.end()
          expect(sdk.openSpans()).toEqual([])
          expect(sdk.counts().started).toBe(sdk.counts().ended)
          expect(sdk.diagnostics).toEqual([])
          const named = (prefix: string) => sdk.spans().filter((span) => span.name.startsWith(prefix)).length
          expect(named('GET')).toBe(model.opened)
          expect(named('open')).toBe(model.opened)
          expect(named('process')).toBe(model.received)
          expect(named('broadcast')).toBe(model.broadcasts)
          const closes = sdk.spans().filter((span) => span.attributes['websocket.close.code'] !== undefined)
          expect(closes).toHaveLength(model.opened)
          expect(await model.sum('message.process.duration')).toBe(model.received)
          expect(await model.sum('message.process.active')).toBe(0)
          expect(await model.sum('connection.active')).toBe(0)
          expect(await model.sum('connection.duration')).toBe(model.opened)
          expect(await model.sum('messages')).toBe(model.received + model.sent)
          expect(await model.sum('io')).toBe(model.received + model.sent)
          expect(await model.sum('send.undelivered')).toBe(model.notOpen)
          expect(await model.sum('broadcast.recipients')).toBe(model.broadcasts)
          const durations = await sdk.collect('websocket.server.message.process.duration')
          const failures = durations.filter((row) => row.attributes['error.type'] !== undefined)
          // A handler that fails after its connection has closed is counted apart.
          const late = await model.sum('message.process.late_failures')
          expect(late + failures.reduce((sum, row) => sum + (row.count ?? 0), 0)).toBe(model.failed)
        } finally {
          await sdk.uninstall()
        }
      }),
      { numRuns: 80 },
    )
  })
})
