import { FastifyOtelInstrumentation } from '@fastify/otel'
import websocket from '@fastify/websocket'
import { SpanKind } from '@opentelemetry/api'
import otelWs, { type TelemetryOptions } from '@otel-ws/fastify'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { useApps } from './apps.ts'

const apps = useApps()

const orders = {
  'theirs, ours, host': ['theirs', 'ours', 'host'],
  'ours, theirs, host': ['ours', 'theirs', 'host'],
  'theirs, host, ours': ['theirs', 'host', 'ours'],
  'host, theirs, ours': ['host', 'theirs', 'ours'],
  'host, ours, theirs': ['host', 'ours', 'theirs'],
  'ours, host, theirs': ['ours', 'host', 'theirs'],
} as const

type Plugin = 'theirs' | 'ours' | 'host'
const all = Object.keys(orders) as (keyof typeof orders)[]

async function create(order: readonly Plugin[], options: TelemetryOptions = {}, theirs = {}): Promise<FastifyInstance> {
  const app = apps.keep(Fastify({ forceCloseConnections: true }))
  const instrumentation = new FastifyOtelInstrumentation({ ...theirs })
  instrumentation.setTracerProvider(apps.telemetry.tracerProvider)
  for (const plugin of order) {
    if (plugin === 'theirs') await app.register(instrumentation.plugin())
    else if (plugin === 'ours') await app.register(otelWs, options)
    else await app.register(websocket)
  }
  return app
}

function echo(socket: WebSocket): void {
  socket.on('message', (data) => socket.send(data.toString()))
}

/** Every finished span whose parent is in this process finds it among the finished ones. */
function expectNoOrphans(): void {
  const finished = new Set(apps.telemetry.spans().map((span) => span.spanContext().spanId))
  for (const span of apps.telemetry.spans()) {
    const parent = span.parentSpanContext
    if (parent !== undefined && !parent.isRemote)
      expect([span.name, finished.has(parent.spanId)]).toEqual([span.name, true])
  }
}

describe('beside @fastify/otel', () => {
  it.each(all)('the handshake span is a child of its request span, which ends at the 101: %s', async (order) => {
    const app = await create(orders[order])
    app.get('/chat/:room', { websocket: true }, echo)
    const client = await apps.connect(`${await apps.listen(app)}/chat/lobby`)
    // Both have ended although the connection is open.
    const request = await apps.telemetry.waitForSpan('request')
    const handshake = await apps.telemetry.waitForSpan('GET /chat/:room')
    expect(request.attributes['http.response.status_code']).toBe(101)
    expect([request.kind, handshake.kind]).toEqual([SpanKind.SERVER, SpanKind.INTERNAL])
    expect(handshake.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    client.send('x')
    await client.next()
    await client.close(1000)
    await apps.telemetry.waitForSpan('close /chat/:room')
    for (const name of [
      'request',
      'GET /chat/:room',
      'open /chat/:room',
      'process /chat/:room',
      'send /chat/:room',
      'close /chat/:room',
    ])
      expect([name, apps.telemetry.spans(name).length]).toEqual([name, 1])
    expect(apps.telemetry.span('open /chat/:room').parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
    const process = apps.telemetry.span('process /chat/:room')
    expect(process.parentSpanContext).toBeUndefined()
    expect(process.links.map(({ context }) => context.spanId)).toEqual([handshake.spanContext().spanId])
    await app.close()
    expectNoOrphans()
    expect(apps.telemetry.openSpans()).toEqual([])
    const durations = await apps.telemetry.collect('websocket.server.handshake.duration')
    expect(durations.map(({ count }) => count)).toEqual([1])
  })

  it.each(all)('a rejection keeps one SERVER span, ended once: %s', async (order) => {
    const app = await create(orders[order])
    app.addHook('preValidation', async (_request, reply) => reply.code(401).send('no'))
    app.get('/ws', { websocket: true }, echo)
    expect(await apps.refused(`${await apps.listen(app)}/ws`)).toBe(401)
    const handshake = await apps.telemetry.waitForSpan('GET /ws')
    const request = await apps.telemetry.waitForSpan('request')
    expect(request.kind).toBe(SpanKind.SERVER)
    expect(apps.telemetry.spans().filter(({ kind }) => kind === SpanKind.SERVER)).toHaveLength(1)
    expect(handshake.kind).toBe(SpanKind.INTERNAL)
    expect(handshake.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    for (const span of [request, handshake]) expect(span.attributes['http.response.status_code']).toBe(401)
    await app.close()
    expectNoOrphans()
  })

  it.each(all)('a 404 is recorded once on each span: %s', async (order) => {
    const app = await create(orders[order])
    app.get('/ws', { websocket: true }, echo)
    expect(await apps.refused(`${await apps.listen(app)}/nowhere`)).toBe(404)
    const handshake = await apps.telemetry.waitForSpan('GET')
    expect(handshake.attributes['http.response.status_code']).toBe(404)
    await app.close()
    const servers = apps.telemetry.spans().filter(({ kind }) => kind === SpanKind.SERVER)
    expect(servers).toHaveLength(1)
    expectNoOrphans()
  })

  it.each(all)('plain HTTP is traced by it only: %s', async (order) => {
    const app = await create(orders[order])
    app.get('/plain', async () => 'plain')
    expect((await app.inject('/plain')).body).toBe('plain')
    const request = await apps.telemetry.waitForSpan('request')
    expect(request.attributes['http.response.status_code']).toBe(200)
    expect(apps.telemetry.spans().filter((span) => span.name.startsWith('GET'))).toEqual([])
    expectNoOrphans()
  })

  it('a route that it does not trace has a handshake span of kind SERVER', async () => {
    for (const [theirs, config] of [
      [{ ignorePaths: '/ws' }, undefined],
      [{}, { otel: false }],
    ] as const) {
      const app = await create(orders['theirs, ours, host'], {}, theirs)
      app.get('/ws', { websocket: true, ...(config && { config }) }, echo)
      const client = await apps.connect(`${await apps.listen(app)}/ws`)
      await client.close(1000)
      await apps.telemetry.waitForSpan('close /ws')
      expect(apps.telemetry.names()).toEqual(['GET /ws', 'close /ws', 'open /ws'])
      expect(apps.telemetry.span('GET /ws').kind).toBe(SpanKind.SERVER)
      apps.telemetry.forget()
    }
  })

  it('a route that option ignore excludes behaves as without telemetry', async () => {
    const app = await create(orders['theirs, ours, host'], { ignore: { routes: ['/ws'] } })
    app.get('/ws', { websocket: true }, echo)
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.close(1000)
    await app.close()
    expect(apps.telemetry.spans().filter((span) => /^(GET|open|process|send|close)/.test(span.name))).toEqual([])
    // @fastify/otel leaves its own span open there.
    expect(apps.telemetry.openSpans()).toEqual(['request'])
    apps.leftOpen('request')
  })

  it('continues the trace of the client once', async () => {
    const app = await create(orders['theirs, ours, host'])
    app.get('/ws', { websocket: true, onRequest: async (_request, reply) => reply.code(403).send() }, echo)
    const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }
    expect(await apps.refused(`${await apps.listen(app)}/ws`, { headers })).toBe(403)
    const handshake = await apps.telemetry.waitForSpan('GET /ws')
    const request = await apps.telemetry.waitForSpan('request')
    expect(request.parentSpanContext?.spanId).toBe('00f067aa0ba902b7')
    expect(handshake.parentSpanContext?.spanId).toBe(request.spanContext().spanId)
    for (const span of apps.telemetry.spans()) expect(span.spanContext().traceId).toBe(traceId)
  })

  it('an error of the handler is recorded once, on the open span', async () => {
    const app = await create(orders['theirs, ours, host'])
    app.get('/ws', { websocket: true }, async () => {
      throw new TypeError('x')
    })
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    await client.closed
    await apps.telemetry.waitForSpan('close /ws')
    await app.close()
    const failed = apps.telemetry.spans().filter((span) => span.attributes['error.type'] !== undefined)
    expect(failed.map(({ name }) => name)).toEqual(['open /ws'])
    expectNoOrphans()
  })
})

it('adds no span to a plain request, whatever the order', async () => {
  // The names of its spans end with the names of all plugins.
  const names = (from: number) =>
    apps.telemetry
      .spans()
      .slice(from)
      .map(({ name }) => name.split(' - ')[0])
      .sort()
  async function visit(order: readonly Plugin[]): Promise<unknown[]> {
    const before = apps.telemetry.spans().length
    const app = await create(order)
    app.get('/orders', async () => 'ok')
    await app.inject('/orders')
    return names(before)
  }
  for (const order of Object.values(orders)) {
    const bare = order.filter((plugin) => plugin !== 'ours')
    expect(await visit(order), order.join()).toEqual(await visit(bare))
  }
})
