import { SpanKind, trace } from '@opentelemetry/api'
import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from '../src/connection/connection.ts'
import type { TelemetryOptions } from '../src/options/types.ts'
import { createTelemetry, type Telemetry } from '../src/telemetry.ts'

const driver = { text: (data: unknown) => String(data), bufferedAmount: () => 0 }

let scopes = 0
let sdk: Sdk
let telemetry: Telemetry

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'performance'] })
  // A time of 0 stands for none.
  vi.advanceTimersByTime(1000)
  sdk = new Sdk()
  sdk.install()
})

afterEach(async () => {
  telemetry.end()
  vi.useRealTimers()
  await sdk.uninstall()
})

function open(options: TelemetryOptions = {}): Connection {
  const all = { route: '/r', messageName: String, aggregate: ['cursor', 'mousemove'], ...options }
  telemetry = createTelemetry(all, { name: `aggregate ${++scopes}`, version: '1' }, driver)
  return connect()
}

function connect(): Connection {
  const connection = telemetry.handshake({ url: '/', headers: {} })?.accept({})
  if (connection === undefined) throw new Error('ignored')
  return connection
}

function handle(connection: Connection, name: string, handler: () => unknown = () => {}): unknown {
  const process = connection.startReceive({ data: name, binary: false, size: name.length })
  try {
    return process?.run(() => {
      const result = handler()
      if (result instanceof Promise) process.follow(result, handler, true)
      return trace.getActiveSpan()?.spanContext().traceFlags
    })
  } catch {
    return 'failed'
  }
}

function fail(): never {
  throw new RangeError('on purpose')
}

const figures = (name = 'aggregate cursor') =>
  sdk
    .spans(name)
    .map(({ attributes }) =>
      ['messages', 'bytes', 'failures', 'longest'].map((key) => attributes[`websocket.aggregate.${key}`]),
    )

describe('option aggregate', () => {
  it('records the messages of a name in one span per ten seconds, and the others one by one', async () => {
    const connection = open()
    expect(handle(connection, 'cursor')).toBe(0)
    handle(connection, 'cursor', () => vi.advanceTimersByTime(30))
    expect(handle(connection, 'cursor', fail)).toBe('failed')
    handle(connection, 'mousemove')
    expect(handle(connection, 'say')).toBe(1)
    expect(sdk.names()).toEqual(['GET /r', 'process say'])
    vi.advanceTimersByTime(11_000)
    expect(figures()).toEqual([[3, 18, 1, 0.03]])
    expect(figures('aggregate mousemove')).toEqual([[1, 9, 0, 0]])
    const span = sdk.span('aggregate cursor')
    const handshake = sdk.span('GET /r').spanContext()
    expect(span).toMatchObject({
      kind: SpanKind.INTERNAL,
      parentSpanContext: undefined,
      attributes: {
        'websocket.connection.id': connection.id,
        'websocket.message.name': 'cursor',
        'websocket.route': '/r',
      },
      links: [{ context: { spanId: handshake.spanId }, attributes: { 'websocket.link.kind': 'handshake' } }],
    })
    handle(connection, 'cursor')
    vi.advanceTimersByTime(11_000)
    expect(figures()).toHaveLength(2)
    const rows = await sdk.collect('websocket.server.message.process.duration')
    expect(rows.map((row) => [row.attributes['websocket.message.name'], row.count])).toEqual(
      expect.arrayContaining([
        ['cursor', 3],
        ['mousemove', 1],
        ['say', 1],
      ]),
    )
  })

  it('has windows of their own for each connection, which end at its close', () => {
    const [one, two] = [open(), connect()]
    handle(one, 'cursor')
    handle(two, 'cursor')
    handle(two, 'cursor', () => new Promise(() => {}))
    two.close({ received: 1000 })
    expect(figures()).toEqual([[2, 12, 0, expect.any(Number)]])
    const close = sdk.span('close /r')
    expect(close.attributes['websocket.connection.messages.received.unrecorded']).toBe(2)
    telemetry.end()
    expect(figures()).toHaveLength(2)
  })

  it('counts in the next window what settles after its own', async () => {
    const connection = open()
    let settle = () => {}
    handle(connection, 'cursor', () => new Promise<void>((resolve) => (settle = resolve)))
    vi.advanceTimersByTime(11_000)
    expect(figures()).toEqual([[1, 6, 0, 0]])
    settle()
    await new Promise(setImmediate)
    connection.close({ received: 1000 })
    expect(figures()).toEqual([
      [1, 6, 0, 0],
      [0, 0, 0, expect.closeTo(11)],
    ])
  })

  it('is in the budget of the process', async () => {
    const connection = open({ maxSpansPerSecond: 0.001 })
    handle(connection, 'cursor')
    connection.close({ received: 1000 })
    expect(figures()).toEqual([])
    expect(await sdk.collect('websocket.server.spans.dropped')).toMatchObject([
      { value: 1, attributes: { 'websocket.spans.drop.reason': 'process_budget' } },
    ])
  })

  it('holds ten thousand windows at most: messages beyond are recorded one by one', () => {
    const names = Array.from({ length: 10_001 }, (_, n) => `name ${n}`)
    const connection = open({ aggregate: names, maxMessageNames: 20_000 })
    for (const name of names) handle(connection, name)
    expect(sdk.names()).toEqual(['GET /r', 'process name 10000'])
    connection.close({ received: 1000 })
    expect(sdk.spans().filter(({ name }) => name.startsWith('aggregate')).length).toBeGreaterThanOrEqual(500)
  })
})
