import { context, propagation, ROOT_CONTEXT, type Span, SpanKind, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, AlwaysOnSampler } from '@opentelemetry/sdk-trace'
import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { TelemetryOptions } from '../src/options/types.ts'
import { createTelemetry, type Telemetry } from '../src/telemetry.ts'

const driver = { text: () => '', bufferedAmount: () => 0 }
const audience = { route: '/chat', namespace: '/chat' }

let scopes = 0
let sdk: Sdk

beforeEach(() => {
  sdk = new Sdk()
})

afterEach(async () => {
  await sdk.uninstall()
})

/** One node of a cluster: metrics of all nodes are of one process here. */
function node(options: TelemetryOptions = {}): Telemetry {
  return createTelemetry(options, { name: `distribution ${++scopes}`, version: '1' }, driver)
}

/** Publishes a message that goes to so many connections; returns what the payload carries. */
function publish(telemetry: Telemetry, recipients: number, name = 'said'): unknown {
  const broadcast = telemetry.startBroadcast(audience, name)
  if (broadcast === undefined) throw new Error('nothing to tell')
  return broadcast.run(
    (operation) => {
      const carrier = operation.carrier()
      operation.encoded(false, 12)
      for (let i = 0; i < recipients; i++) operation.sent()
      operation.fanoutCompleted()
      return JSON.parse(JSON.stringify(carrier)) as unknown
    },
    0,
    0,
    0,
  )
}

function deliver(telemetry: Telemetry, carrier: unknown, recipients: number): void {
  telemetry.startDelivery(audience, 'said', carrier)?.run(
    (operation) => {
      operation.encoded(false, 12)
      for (let i = 0; i < recipients; i++) operation.sent()
      operation.skipped()
      operation.fanoutCompleted()
    },
    0,
    0,
    0,
  )
}

describe('a broadcast over nodes', () => {
  it('is one trace: each delivery is a child of the broadcast', async () => {
    sdk.install()
    const carrier = publish(node(), 3)
    deliver(node(), carrier, 2)
    deliver(node(), carrier, 0)
    const broadcast = sdk.span('broadcast said')
    expect(broadcast.kind).toBe(SpanKind.INTERNAL)
    expect(broadcast.parentSpanContext).toBeUndefined()
    expect(broadcast.attributes).toEqual({
      'websocket.route': '/chat',
      'websocket.namespace': '/chat',
      'websocket.message.name': 'said',
      'websocket.message.type': 'text',
      'websocket.message.size': 12,
      'websocket.broadcast.recipients': 3,
      'websocket.broadcast.skipped': 0,
    })
    const deliveries = sdk.spans('deliver said')
    expect(deliveries.map((span) => span.attributes['websocket.broadcast.recipients'])).toEqual([2, 0])
    for (const span of deliveries) {
      expect(span.kind).toBe(SpanKind.INTERNAL)
      expect(span.parentSpanContext).toEqual({ ...broadcast.spanContext(), isRemote: true })
      expect(span.links).toEqual([])
      expect(span.attributes['websocket.broadcast.skipped']).toBe(1)
      expect(span.attributes['websocket.deliver.lag']).toBeGreaterThanOrEqual(0)
    }
    const [lag] = await sdk.collect('websocket.server.deliver.lag')
    expect(lag).toMatchObject({
      unit: 's',
      count: 1,
      attributes: { 'websocket.route': '/chat', 'websocket.namespace': '/chat', 'websocket.message.name': 'said' },
    })
  })

  it('stands under the span that is active, and what the host does for it under its own', () => {
    sdk.install()
    const tracer = trace.getTracer('application')
    tracer.startActiveSpan('work', (work) => {
      node()
        .startBroadcast(audience, 'said')
        ?.run(() => tracer.startSpan('PUBLISH').end(), 0, 0, 0)
      work.end()
    })
    const broadcast = sdk.span('broadcast said')
    expect(broadcast.parentSpanContext?.spanId).toBe(sdk.span('work').spanContext().spanId)
    expect(sdk.span('PUBLISH').parentSpanContext?.spanId).toBe(broadcast.spanContext().spanId)
    // Nothing went to a connection.
    expect(broadcast.attributes).not.toHaveProperty('websocket.broadcast.recipients')
  })

  it('ends with what the host does for it', async () => {
    sdk.install()
    let publish = (): void => {}
    const published = new Promise<void>((resolve) => {
      publish = resolve
    })
    const broadcast = node().startBroadcast(audience, 'said')
    broadcast?.run(() => broadcast.follow(published, async () => {}), 0, 0, 0)
    expect(sdk.openSpans()).toEqual(['broadcast said'])
    publish()
    await sdk.waitForSpan('broadcast said')
  })

  it('lasts until it is handed out, or will not be', () => {
    sdk.install()
    for (const end of ['fanoutCompleted', 'fanoutAbandoned'] as const) {
      const broadcast = node().startBroadcast(audience, end)
      broadcast?.run(() => broadcast.awaitFanout(), 0, 0, 0)
      expect(sdk.openSpans()).toEqual([`broadcast ${end}`])
      broadcast?.[end]()
      broadcast?.fanoutAbandoned()
      expect(sdk.openSpans()).toEqual([])
    }
    expect(sdk.span('broadcast fanoutCompleted').attributes['websocket.broadcast.recipients']).toBe(0)
    expect(sdk.span('broadcast fanoutAbandoned').attributes).not.toHaveProperty('websocket.broadcast.recipients')
  })

  it('is told to hook onMessage, on every node', () => {
    sdk.install()
    const asked: unknown[] = []
    const hooked = node({
      onMessage(_span, info) {
        asked.push(info)
        return { tenant: 'blue' }
      },
    })
    hooked.startBroadcast(audience, 'said')?.run((operation) => operation.encoded(false, 12, ['said', 1]), 0, 0, 0)
    hooked
      .startDelivery(audience, 'said', undefined)
      ?.run((operation) => operation.encoded(true, 12, ['said', 2]), 0, 0, 0)
    expect(asked).toEqual([
      { connectionId: undefined, direction: 'send', data: ['said', 1], binary: false },
      { connectionId: undefined, direction: 'send', data: ['said', 2], binary: true },
    ])
    expect(sdk.spans().map((span) => span.attributes.tenant)).toEqual(['blue', 'blue'])
  })

  it('on an ignored route is neither told nor measured', () => {
    sdk.install()
    const ignoring = node({ ignore: { routes: ['/chat'] } })
    expect(ignoring.startBroadcast(audience, 'said')).toBeUndefined()
    expect(ignoring.startDelivery(audience, 'said', { sentAt: 1 })).toBeUndefined()
    ignoring.startBroadcast({ route: '/other' }, 'said')?.done()
    expect(sdk.names()).toEqual(['broadcast said'])
  })

  it('that is not sampled is sampled nowhere, and measured everywhere', async () => {
    sdk.install()
    sdk.sampler = new AlwaysOffSampler()
    const carrier = publish(node(), 1)
    sdk.sampler = new AlwaysOnSampler()
    let inside: unknown
    node()
      .startDelivery(audience, 'said', carrier)
      ?.run(
        () => {
          inside = trace.getActiveSpan()?.spanContext()
        },
        0,
        0,
        0,
      )
    // What the application does there inherits the decision, if its sampler does.
    expect(inside).toMatchObject({ isRemote: true, traceFlags: 0 })
    expect(sdk.counts().started).toBe(0)
    const [lag] = await sdk.collect('websocket.server.deliver.lag')
    expect(lag?.count).toBe(1)
  })

  it('has no span where option outgoing, messages or ignore says so, and is measured all the same', async () => {
    sdk.install()
    for (const options of [{ outgoing: false }, { messages: false }, { ignore: { messages: ['said'] } }]) {
      const carrier = publish(node(options), 1)
      deliver(node(options), carrier, 1)
    }
    expect(sdk.counts().started).toBe(0)
    expect((await sdk.collect('websocket.server.broadcast.recipients')).map((row) => row.count)).toEqual(
      Array.from({ length: 6 }, () => 1),
    )
  })

  it('carries baggage', () => {
    sdk.install()
    const baggage = propagation.createBaggage({ tenant: { value: 'blue' } })
    const carrier = context.with(propagation.setBaggage(ROOT_CONTEXT, baggage), publish, undefined, node(), 0)
    let seen: unknown
    node()
      .startDelivery(audience, 'said', carrier)
      ?.run(
        () => {
          seen = propagation.getActiveBaggage()?.getEntry('tenant')?.value
        },
        0,
        0,
        0,
      )
    expect(seen).toBe('blue')
  })

  it.each([undefined, null, 'x', 7, [[]], {}, { sentAt: 'now' }, { sentAt: null }, { traceparent: 'x' }])(
    'whose payload carries %j is a trace of its own, without lag',
    (carrier) => {
      sdk.install()
      deliver(node(), carrier, 1)
      const span = sdk.span('deliver said')
      expect(span.parentSpanContext).toBeUndefined()
      expect(span.attributes).not.toHaveProperty('websocket.deliver.lag')
    },
  )

  it('has no negative lag when the clocks of the nodes differ', () => {
    sdk.install()
    deliver(node(), { sentAt: Date.now() + 60_000 }, 1)
    expect(sdk.span('deliver said').attributes['websocket.deliver.lag']).toBe(0)
  })

  it('costs nothing without an SDK', () => {
    expect(node().startBroadcast(audience, 'said')).toBeUndefined()
    expect(node().startDelivery(audience, 'said', { sentAt: 1 })).toBeUndefined()
  })

  it('that fails says so', () => {
    sdk.install()
    const broadcast = node().startBroadcast(audience, 'said')
    const fail = (): never => {
      throw new TypeError('no encoder')
    }
    expect(() => broadcast?.run(fail, 0, 0, 0)).toThrow('no encoder')
    expect(sdk.span('broadcast said').attributes['error.type']).toBe('TypeError')
  })

  it('leaves a span of the application that is active alone', () => {
    sdk.install()
    let inside: Span | undefined
    trace.getTracer('application').startActiveSpan('subscriber', (subscriber) => {
      node()
        .startDelivery(audience, 'said', undefined)
        ?.run(
          () => {
            inside = trace.getActiveSpan()
          },
          0,
          0,
          0,
        )
      subscriber.end()
    })
    const deliverSpan = sdk.span('deliver said')
    expect(inside?.spanContext().spanId).toBe(deliverSpan.spanContext().spanId)
    expect(deliverSpan.parentSpanContext).toBeUndefined()
  })
})
