import { context, SpanKind, trace } from '@opentelemetry/api'
import { traceSocket, traceSocketServer } from '@otel-ws/socket.io'
import { traceWebSocketServer } from '@otel-ws/ws'
import type { Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { useServers } from './server.ts'

const fixture = useServers()

function echo(socket: Socket): void {
  socket.on('hello', (data: unknown) => {
    socket.emit('hello', data)
  })
}

describe('beside another instrumentation of the same server', () => {
  it.each(['before', 'after'])("the sockets of Engine.IO's own ws server are traced once: %s", async (when) => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    const { ws } = server.io.engine as unknown as { ws: Parameters<typeof traceWebSocketServer>[0] }
    if (when === 'before') traceWebSocketServer(ws)
    traceSocketServer(server.io)
    if (when === 'after') traceWebSocketServer(ws)
    server.io.on('connection', echo)
    for (const transports of [['websocket'], ['polling', 'websocket']]) {
      const client = await fixture.join(server, '/', { transports })
      const { engine } = client.io
      if (engine.transport.name === 'polling') await new Promise((resolve) => engine.once('upgrade', resolve))
      const answer = new Promise((resolve) => client.once('hello', resolve))
      client.emit('hello', 1)
      expect(await answer).toBe(1)
      client.disconnect()
    }
    await telemetry.waitForSpan('close /', 2)
    const once = ['CONNECT /', 'GET /socket.io', 'close /', 'open /', 'process hello', 'send hello']
    expect(telemetry.names()).toEqual(once.flatMap((name) => [name, name]))
    const active = await telemetry.collect('websocket.server.connection.active')
    expect(active.filter(({ attributes }) => attributes['websocket.namespace'] === undefined)).toMatchObject([
      { value: 0, attributes: { 'websocket.route': '/socket.io' } },
    ])
  })

  it('middleware and whole server together count a socket once', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    server.io.use(traceSocket())
    server.io.on('connection', echo)
    const client = await fixture.join(server)
    const answer = new Promise((resolve) => client.once('hello', resolve))
    client.emit('hello', 1)
    await answer
    client.disconnect()
    await telemetry.waitForSpan('close /')
    expect(telemetry.names()).toEqual([
      'CONNECT /',
      'GET /socket.io',
      'close /',
      'open /',
      'process hello',
      'send hello',
    ])
  })

  it("a second call warns and has the first one's effect", async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    expect(traceSocketServer(server.io)).toBe(traceSocketServer(server.io))
    expect(telemetry.diagnostics.splice(0).join()).toContain('traced already')
  })

  it("the application's own spans under polls are kept, and the spans of its http server stay separate", async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    // The instrumentation of HTTP servers starts a SERVER span for each request.
    const emit = server.http.emit as (this: unknown, type: string, ...args: unknown[]) => boolean
    server.http.emit = function (this: unknown, type: string, ...args: unknown[]) {
      if (type !== 'request') return emit.call(this, type, ...args)
      const span = trace.getTracer('http').startSpan('GET', { kind: SpanKind.SERVER })
      ;(args[1] as import('node:http').ServerResponse).once('close', () => span.end())
      return context.with(trace.setSpan(context.active(), span), () => emit.call(this, type, ...args))
    } as typeof server.http.emit
    server.io.on('connection', (socket) => {
      socket.on('hello', (ack: () => void) => {
        trace.getTracer('application').startSpan('work').end()
        ack()
      })
    })
    const client = await fixture.join(server, '/', { transports: ['polling'] })
    await client.emitWithAck('hello')
    client.disconnect()
    await telemetry.waitForSpan('close /')
    const process = telemetry.span('process hello')
    expect(process.parentSpanContext).toBeUndefined()
    expect(telemetry.span('work').parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    const handshake = telemetry.span('GET /socket.io')
    expect(handshake.kind).toBe(SpanKind.INTERNAL)
    const polls = telemetry.spans('GET').filter(({ instrumentationScope }) => instrumentationScope.name === 'http')
    expect(polls.length).toBeGreaterThan(2)
    expect(polls.map((span) => span.spanContext().spanId)).toContain(handshake.parentSpanContext?.spanId)
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of all polls')
  })
})
