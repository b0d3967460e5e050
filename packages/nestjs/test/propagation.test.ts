import { WsTraceModule } from '@otel-ws/nestjs'
import { confirmContext, connect, HEADER_OFFER, type Telemetry, type TestClient } from '@otel-ws/testkit'
import { io, type Socket } from 'socket.io-client'
import { afterEach, describe, expect, it } from 'vitest'
import type { App, Platform } from './app.ts'
import { createChatGateway } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

const TRACE_ID = '0af7651916cd43dd8448eb211c80319c'
const SPAN_ID = 'b7ad6b7169203331'
const CARRIER = { traceparent: `00-${TRACE_ID}-${SPAN_ID}-01` }

type Span = ReturnType<Telemetry['span']>

function traceparentOf(span: Span | undefined): string {
  const { traceId, spanId } = (span as Span).spanContext()
  return `00-${traceId}-${spanId}-01`
}

/** Gateways on both platforms: handlers receive their messages without the carrier. */
describe('context in messages', () => {
  const fixture = useFixture()
  const ends: (() => unknown)[] = []

  afterEach(() => {
    for (const end of ends.splice(0)) end()
  })

  function serve(platform: Platform): Promise<App> {
    return fixture.start({
      platform,
      gateways: [createChatGateway()],
      metadata: { imports: [WsTraceModule.forRoot()] },
    })
  }

  async function connectWs(app: App): Promise<TestClient> {
    const client = await connect(app.url, [], { headers: { 'otel-ws': HEADER_OFFER } })
    ends.push(() => client.socket.terminate())
    return client
  }

  async function connectSocket(app: App): Promise<Socket> {
    const query = { 'otel-ws': `1;host=${new URL(app.url).host}` }
    const socket = io(app.url, { transports: ['websocket'], reconnection: false, forceNew: true, query })
    ends.push(() => socket.disconnect())
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('connect_error', reject)
    })
    await confirmContext(socket)
    return socket
  }

  /** The span of a message and of its first answer, both in the sender's trace. */
  async function expectOneTrace(event: string, answers = 1): Promise<Span[]> {
    const process = await fixture.telemetry.waitForSpan(`process ${event}`)
    await fixture.telemetry.waitForSpan('send answer', answers)
    const sends = fixture.telemetry.spans('send answer')
    expect(process.parentSpanContext).toMatchObject({ traceId: TRACE_ID, spanId: SPAN_ID, isRemote: true })
    expect(process.links).toEqual([])
    for (const send of sends) expect(send.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    return sends
  }

  it('on platform-ws is extracted for the handler and injected into each answer', async () => {
    const client = await connectWs(await serve('platform-ws'))
    client.send(JSON.stringify({ _otel: CARRIER, event: 'value', data: { text: 'hi' } }))
    const answer = await client.next()
    const [send] = await expectOneTrace('value')
    expect(answer).toBe(`{"_otel":{"traceparent":"${traceparentOf(send)}"},"event":"answer","data":{"text":"hi"}}`)
    expect(fixture.telemetry.span('handling').spanContext().traceId).toBe(TRACE_ID)
  })

  it('on platform-ws is injected into each item of a stream', async () => {
    const client = await connectWs(await serve('platform-ws'))
    client.send(JSON.stringify({ _otel: CARRIER, event: 'observable' }))
    const answers = [await client.next(), await client.next(), await client.next()]
    const sends = await expectOneTrace('observable', 3)
    expect(answers).toEqual(
      ['a', 'b', 'c'].map(
        (data, index) => `{"_otel":{"traceparent":"${traceparentOf(sends[index])}"},"event":"answer","data":"${data}"}`,
      ),
    )
  })

  it('on platform-socket.io is extracted for the handler and injected into each answer', async () => {
    const socket = await connectSocket(await serve('platform-socket.io'))
    const answered = new Promise((resolve) => socket.once('answer', (...args) => resolve(args)))
    socket.emit('value', { text: 'hi' }, { _otel: CARRIER })
    const answer = await answered
    const [send] = await expectOneTrace('value')
    expect(answer).toEqual([{ text: 'hi' }, { _otel: { traceparent: traceparentOf(send) } }])
  })

  it('on platform-socket.io is injected into an acknowledgement', async () => {
    const socket = await connectSocket(await serve('platform-socket.io'))
    const answers = await new Promise((resolve) =>
      socket.emit('ack', 'hi', { _otel: CARRIER }, (...args: unknown[]) => resolve(args)),
    )
    const process = await fixture.telemetry.waitForSpan('process ack')
    expect(process.parentSpanContext?.spanId).toBe(SPAN_ID)
    expect(answers).toEqual(['hi', { _otel: { traceparent: traceparentOf(process) } }])
  })
})
