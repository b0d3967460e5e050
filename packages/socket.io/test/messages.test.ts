import { SpanKind } from '@opentelemetry/api'
import { traceSocket } from '@otel-ws/socket.io'
import { describe, expect, it } from 'vitest'
import { useServers } from './server.ts'

const fixture = useServers()

it('a server that closes counts the connections that it still holds, and how long', async () => {
  const { telemetry } = fixture
  const server = await fixture.listen()
  server.io.use(traceSocket())
  await fixture.join(server, '/')
  await fixture.join(server, '/')
  await server.io.close()
  await telemetry.waitForSpan('close /', 2)
  expect(await telemetry.collect('websocket.server.connection.draining')).toMatchObject([{ value: 0 }])
  expect(await telemetry.collect('websocket.server.connection.drain.duration')).toMatchObject([{ count: 2 }])
})

describe.each(['websocket', 'polling'])('events over %s', (transport) => {
  it('that await an acknowledgement last until it arrives', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.use(traceSocket())
    server.io.on('connection', (socket) => {
      socket.on('ask', async () => {
        socket.emit('asked', await socket.timeout(10_000).emitWithAck('question', 1))
      })
    })
    const client = await fixture.join(server, '/', { transports: [transport] })
    client.on('question', (value: number, ack: (answer: number) => void) => ack(value + 1))
    const asked = new Promise((resolve) => client.once('asked', resolve))
    client.emit('ask')
    expect(await asked).toBe(2)

    const process = await telemetry.waitForSpan('process ask')
    expect(process.kind).toBe(SpanKind.INTERNAL)
    const send = await telemetry.waitForSpan('send question')
    expect(send.kind).toBe(SpanKind.INTERNAL)
    expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    expect(send.attributes['websocket.ack.outcome']).toBe('ok')
  })

  it('whose handler never acknowledges are handled when the handler has settled', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.use(traceSocket())
    server.io.on('connection', (socket) => {
      socket.on('save', async () => {
        await new Promise((resolve) => setImmediate(resolve))
        setImmediate(() => socket.emit('saved'))
      })
    })
    const client = await fixture.join(server, '/', { transports: [transport] })
    const saved = new Promise((resolve) => client.once('saved', () => resolve(undefined)))
    client.emit('save', () => {})
    await saved
    expect(telemetry.openSpans()).toContain('process save')
    const active = await telemetry.collect('websocket.server.message.process.active')
    expect(active.map(({ value }) => value)).not.toContain(1)
    const [duration] = await telemetry.collect('websocket.server.message.process.duration')
    expect(duration).toMatchObject({ count: 1, attributes: { 'websocket.message.name': 'save' } })
    expect(duration?.attributes).not.toHaveProperty('websocket.span.ended_by')
    client.disconnect()
    expect((await telemetry.waitForSpan('process save')).attributes).toMatchObject({
      'websocket.ack.outcome': 'disconnected',
      'websocket.span.ended_by': 'disconnect',
    })
  })
})
