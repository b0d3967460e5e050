import { UseInterceptors } from '@nestjs/common'
import { WsTraceInterceptor, WsTraceModule } from '@otel-ws/nestjs'
import { describe, expect, it } from 'vitest'
import type { App } from './app.ts'
import { createChatGateway } from './chat-gateway.ts'
import { useFixture } from './fixture.ts'

describe('acknowledgements', () => {
  const fixture = useFixture()

  function serve(traced: 'module' | 'interceptor' | 'both'): Promise<App> {
    const gateway = createChatGateway()
    if (traced !== 'module') UseInterceptors(WsTraceInterceptor)(gateway)
    const imports = traced === 'interceptor' ? [] : [WsTraceModule.forRoot()]
    return fixture.start({ platform: 'platform-socket.io', gateways: [gateway], metadata: { imports } })
  }

  it.each(['module', 'both'] as const)('are recorded with their outcome by %s', async (traced) => {
    const client = await fixture.connect(await serve(traced))
    expect(await client.request('ack', 1)).toBe(1)
    expect(await client.request('return ack', 2)).toBe(2)
    const manual = await fixture.telemetry.waitForSpan('process ack')
    const returned = await fixture.telemetry.waitForSpan('process return ack')
    expect(fixture.tree(manual)).toEqual([
      'process ack SERVER after handshake in ChatGateway.acknowledge',
      '  handling',
    ])
    expect(fixture.tree(returned)).toEqual(['process return ack SERVER after handshake in ChatGateway.returnAck'])
    for (const span of [manual, returned]) expect(span.attributes['websocket.ack.outcome']).toBe('ok')
  })

  it('that are never sent end with the connection', async () => {
    const client = await fixture.connect(await serve('module'))
    client.request('nothing').catch(() => {})
    client.emit('value', 1)
    expect(await client.next()).toEqual(['answer', 1])
    await client.close()
    const span = await fixture.telemetry.waitForSpan('process nothing')
    expect(span.attributes['websocket.ack.outcome']).toBe('disconnected')
  })

  it('give a message a SERVER span that lasts until they are sent', async () => {
    const client = await fixture.connect(await serve('interceptor'))
    expect(await client.request('late ack', 1)).toBe(1)
    expect(await client.request('return ack', 2)).toBe(2)
    const manual = await fixture.telemetry.waitForSpan('process late ack')
    expect(fixture.tree(manual)).toEqual(['process late ack SERVER in ChatGateway.acknowledgeLate', '  acknowledging'])
    expect(manual.attributes['websocket.ack.outcome']).toBe('ok')
    const returned = await fixture.telemetry.waitForSpan('process return ack')
    expect(fixture.tree(returned)).toEqual(['process return ack SERVER in ChatGateway.returnAck'])
    client.emit('late ack', 3)
    const unasked = await fixture.telemetry.waitForSpan('process late ack', 2)
    await fixture.telemetry.waitForSpan('acknowledging', 2)
    expect(unasked.attributes['websocket.ack.outcome']).toBeUndefined()
    expect(fixture.tree(unasked)).toEqual(['process late ack in ChatGateway.acknowledgeLate', '  acknowledging'])
  })
})
