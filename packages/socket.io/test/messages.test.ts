import { SpanKind } from '@opentelemetry/api'
import { traceSocket, traceSocketServer } from '@otel-ws/socket.io'
import { describe, expect, it } from 'vitest'
import { useServers } from './server.ts'

const fixture = useServers()

describe.each(['websocket', 'polling'])('events over %s', (transport) => {
  it('are traced with their answers and acknowledgements', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    server.io.on('connection', (socket) => {
      socket.on('hello', async (name: string, ack: (answer: string) => void) => {
        await null
        socket.emit('greeting', name)
        ack('done')
      })
    })
    const client = await fixture.join(server, '/', { transports: [transport] })
    expect(await client.emitWithAck('hello', 'you')).toBe('done')

    const process = await telemetry.waitForSpan('process hello')
    expect(process.kind).toBe(SpanKind.SERVER)
    expect(process.parentSpanContext).toBeUndefined()
    expect(process.attributes).toMatchObject({
      'websocket.namespace': '/',
      'websocket.message.name': 'hello',
      'websocket.message.type': 'text',
      'websocket.message.size': '20["hello","you"]'.length,
      'websocket.message.sequence': 1,
      'websocket.ack.outcome': 'ok',
    })
    const handshake = telemetry.span('CONNECT /')
    expect(process.links).toEqual([
      { context: handshake.spanContext(), attributes: { 'websocket.link.kind': 'handshake' } },
    ])
    const send = await telemetry.waitForSpan('send greeting')
    expect(send.kind).toBe(SpanKind.PRODUCER)
    expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    expect(send.attributes).toMatchObject({ 'websocket.message.size': '2["greeting","you"]'.length })
  })

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
    expect(process.kind).toBe(SpanKind.CONSUMER)
    const send = await telemetry.waitForSpan('send question')
    expect(send.kind).toBe(SpanKind.CLIENT)
    expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    expect(send.attributes['websocket.ack.outcome']).toBe('ok')
  })
})
