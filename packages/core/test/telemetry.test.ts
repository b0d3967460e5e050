import { context, metrics, type Span, SpanKind, trace } from '@opentelemetry/api'
import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import type { Connection } from '../src/connection/connection.ts'
import type { TelemetryOptions } from '../src/options/types.ts'
import type { HostDriver } from '../src/services/driver.ts'
import { createTelemetry, type Telemetry } from '../src/telemetry.ts'

/** A host without a network: its sockets are objects that know what waits in them. */
interface FakeSocket {
  waiting: number
}

const driver: HostDriver<FakeSocket, string> = {
  text: (data, start, end) => Buffer.from(data).toString('utf8', start, end),
  bufferedAmount: (socket) => socket.waiting,
}

let scopes = 0
let sdk: Sdk

beforeEach(() => {
  sdk = new Sdk()
})

afterEach(async () => {
  await sdk.uninstall()
})

function create(options: TelemetryOptions = {}): Telemetry {
  // Metrics are kept by scope for the life of the process.
  return createTelemetry({ route: '/r', ...options }, { name: `test ${++scopes}`, version: '1' }, driver)
}

function accept(telemetry: Telemetry, socket: FakeSocket = { waiting: 0 }): Connection {
  const handshake = telemetry.handshake({ url: '/', headers: {} })
  if (handshake === undefined) throw new Error('ignored')
  return handshake.accept(socket)
}

/** A message and its dispatch. */
function receive(connection: Connection, data = 'x'): unknown {
  const operation = connection.startReceive({ data: data, binary: false, size: data.length })
  return operation?.run(() => trace.getActiveSpan(), 0, 0, 0)
}

function send(connection: Connection, data = 'x'): void {
  const message = connection.startSend(data, false, data.length)
  const sequence = connection.countSent(false, data.length)
  message?.sent(connection, sequence)
  message?.flushed()
}

describe('an SDK that is registered', () => {
  it('never costs no spans and counts all the same', async () => {
    const telemetry = create()
    const connection = accept(telemetry)
    expect(telemetry.services.active).toBe(false)
    for (let i = 0; i < 50; i++) {
      expect(receive(connection)).toBeUndefined()
      send(connection)
    }
    connection.close({ received: 1000 })
    expect([connection.received, connection.sent]).toEqual([50, 50])
    expect(connection.traceContext()).toEqual({})
  })

  it('after the server is found by the next connection', async () => {
    const telemetry = create()
    sdk.install()
    const connection = accept(telemetry)
    expect(receive(connection)).toBeDefined()
    connection.close({ received: 1000 })
    expect(sdk.names()).toEqual(['GET /r', 'close /r', 'process /r'])
  })

  it('while a connection is open is found by it soon, and told all that was counted before', async () => {
    const telemetry = create()
    const connection = accept(telemetry)
    receive(connection)
    send(connection)
    sdk.install()
    // It is looked for now and then only.
    for (let i = 0; i < 32; i++) receive(connection)
    const traced = sdk.spans('process /r').length
    expect(traced).toBeGreaterThan(0)
    expect(traced).toBeLessThan(32)
    receive(connection)
    expect(sdk.spans('process /r')).toHaveLength(traced + 1)
    connection.close({ received: 1000 })
    const close = sdk.span('close /r')
    expect(close.attributes).toMatchObject({
      'websocket.connection.messages.received': 34,
      'websocket.connection.messages.sent': 1,
    })
    // The handshake was before the SDK: there is nothing to link to.
    expect(close.links).toEqual([])
    const rows = await sdk.collect('websocket.server.messages')
    expect(rows.map((row) => [row.attributes['websocket.message.direction'], row.value])).toEqual([
      ['receive', 34],
      ['send', 1],
    ])
    const [active] = await sdk.collect('websocket.server.connection.active')
    expect(active?.value).toBe(0)
  })

  it('for metrics alone makes no spans and exact figures', async () => {
    metrics.setGlobalMeterProvider(sdk.meterProvider)
    const connection = accept(create())
    receive(connection)
    connection.close({ received: 1000 })
    const [duration] = await sdk.collect('websocket.server.message.process.duration')
    expect(duration).toMatchObject({ count: 1, attributes: { 'websocket.route': '/r' } })
    expect(sdk.counts().started).toBe(0)
  })

  it('for traces alone makes spans and keeps counting', async () => {
    trace.setGlobalTracerProvider(sdk.tracerProvider)
    const connection = accept(create())
    expect((receive(connection, 'xy') as Span | undefined) === undefined).toBe(true)
    connection.close({ received: 1000 })
    expect(sdk.names()).toEqual(['GET /r', 'close /r', 'process /r'])
    expect(connection.receivedBytes).toBe(2)
  })

  it('as an option is used from the first moment, whatever is global', () => {
    const other = new Sdk()
    other.install()
    const connection = accept(create({ tracerProvider: sdk.tracerProvider, meterProvider: sdk.meterProvider }))
    receive(connection)
    connection.close()
    expect(sdk.names()).toEqual(['GET /r', 'close /r', 'process /r'])
    expect(other.counts().started).toBe(0)
  })
})

describe('two servers of one scope', () => {
  it('add up in one instrument, and are slow each by its own measure', async () => {
    sdk.install()
    const scope = { name: `test ${++scopes}`, version: '1' }
    const [patient, strict] = [100, 10].map((slowConsumerBytes) =>
      createTelemetry({ route: '/r', slowConsumerBytes }, scope, driver),
    ) as [Telemetry, Telemetry]
    accept(patient, { waiting: 50 })
    accept(strict, { waiting: 50 })
    const value = async (name: string) => (await sdk.collect(name)).map((row) => row.value)
    expect(await value('websocket.server.connection.active')).toEqual([2])
    expect(await value('websocket.server.send.buffered')).toEqual([100])
    expect(await value('websocket.server.connection.slow')).toEqual([1])
  })
})

describe('a handshake', () => {
  it('has one outcome, the first', async () => {
    sdk.install()
    const telemetry = create()
    const handshake = telemetry.handshake({ url: '/', headers: {} })
    handshake?.reject(401)
    handshake?.reject(500)
    handshake?.abandon('remote')
    handshake?.acceptedElsewhere()
    const span = sdk.span('GET /r')
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 401,
      'websocket.handshake.outcome': 'rejected',
    })
    expect(span.attributes).not.toHaveProperty('websocket.close.initiator')
    const rows = await sdk.collect('websocket.server.handshake.duration')
    expect(rows.map(({ count }) => count)).toEqual([1])
  })

  it('under a SERVER span is INTERNAL, under any other a SERVER span', () => {
    sdk.install()
    const telemetry = create()
    const tracer = trace.getTracer('app')
    for (const kind of [SpanKind.SERVER, SpanKind.INTERNAL, SpanKind.CLIENT]) {
      const span = tracer.startSpan('outer', { kind })
      context.with(trace.setSpan(context.active(), span), () =>
        telemetry.handshake({ url: '/', headers: {} })?.reject(400),
      )
      span.end()
    }
    expect(sdk.spans('GET /r').map(({ kind }) => kind)).toEqual([SpanKind.INTERNAL, SpanKind.SERVER, SpanKind.SERVER])
  })

  it('reads any request without failing', () => {
    sdk.install()
    const telemetry = create({ route: () => undefined })
    const hosts = [undefined, '', ':', '[::1]:80', 'a:b:c', 'x'.repeat(10_000), 'host:99999999']
    for (const host of hosts) {
      for (const url of [
        undefined,
        '',
        '?',
        '/?',
        '/?traceparent=',
        `/?traceparent=${'0'.repeat(20_000)}`,
        '%',
        '/a?b?c#d',
      ]) {
        telemetry.handshake({ url, headers: { host, traceparent: 'nonsense', baggage: '=' } })?.reject(400)
      }
    }
    expect(sdk.spans('GET')).toHaveLength(hosts.length * 8)
    const found = (host: string) => {
      telemetry.handshake({ url: '/', headers: { host } })?.reject(400)
      const { attributes } = sdk.spans().at(-1) as { attributes: Record<string, unknown> }
      return [attributes['server.address'], attributes['server.port']]
    }
    expect(found('example.org:8080')).toEqual(['example.org', 8080])
    expect(found('example.org')).toEqual(['example.org', undefined])
    expect(found('[::1]:80')).toEqual(['[::1]', 80])
  })
})

describe('shutdown', () => {
  it('can be called again, and what goes on is counted', async () => {
    sdk.install()
    const telemetry = create({ traces: 'connection' })
    const connection = accept(telemetry)
    await telemetry.shutdown()
    await telemetry.shutdown()
    expect(sdk.span('connection /r').attributes['websocket.span.ended_by']).toBe('shutdown')
    receive(connection)
    connection.close({ received: 1000 })
    expect(connection.received).toBe(1)
    expect(sdk.openSpans()).toEqual([])
    const [active] = await sdk.collect('websocket.server.connection.active')
    expect(active?.value).toBe(0)
  })

  it('flushes the providers of the options, and not the global ones', async () => {
    sdk.install()
    const flushed: string[] = []
    const tracerProvider = { getTracer: () => trace.getTracer('own'), forceFlush: async () => flushed.push('traces') }
    const meterProvider = {
      getMeter: (name: string) => metrics.getMeter(name),
      forceFlush: async () => flushed.push('metrics'),
    }
    const spies = [sdk.tracerProvider, sdk.meterProvider].map((own) => vi.spyOn(own, 'forceFlush'))
    await create({ tracerProvider, meterProvider } as never).shutdown()
    expect(flushed.sort()).toEqual(['metrics', 'traces'])
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
  })

  it('reports a flush that fails, and succeeds', async () => {
    sdk.install()
    vi.spyOn(sdk.tracerProvider, 'forceFlush').mockRejectedValueOnce(new Error('collector is down'))
    await create().shutdown()
    expect(sdk.diagnostics.splice(0)).toEqual(['otel-ws the SDK could not flush Error: collector is down'])
  })

  it('ends every span at once, and waits for the SDK no longer than shutdownTimeout', async () => {
    sdk.install()
    vi.spyOn(sdk.tracerProvider, 'forceFlush').mockReturnValueOnce(new Promise(() => {}))
    const telemetry = create({ traces: 'connection', shutdownTimeout: 20 })
    accept(telemetry)
    const stopped = telemetry.shutdown()
    expect(sdk.span('connection /r').attributes['websocket.span.ended_by']).toBe('shutdown')
    await stopped
    expect(sdk.diagnostics.splice(0)).toEqual(['otel-ws the SDK could not flush it did not answer within 20 ms'])
  })
})
