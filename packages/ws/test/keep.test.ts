import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { SamplingDecision, SpanKind } from '@opentelemetry/api'
import { connect, Telemetry } from '@otel-ws/testkit'
import { keepSampler, type TelemetryOptions, traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

const REASON = 'websocket.keep.reason'

describe('option keep, where nothing is sampled', () => {
  let telemetry: Telemetry
  let wss: WebSocketServer

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.sampler = keepSampler({
      shouldSample: () => ({ decision: SamplingDecision.NOT_RECORD }),
      toString: () => 'off',
    })
    telemetry.install()
    wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  })

  afterEach(async () => {
    for (const socket of wss.clients) socket.terminate()
    await new Promise((resolve) => wss.close(resolve))
    await telemetry.uninstall()
  })

  async function visit(options: TelemetryOptions, handle: (socket: WebSocket, text: string) => void) {
    traceWebSocketServer(wss, { route: '/r', ...options })
    wss.on('connection', (socket) => socket.on('message', (data) => handle(socket, String(data))))
    await once(wss, 'listening')
    return connect(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`)
  }

  it('records a request that is answered with an error, with its operation', async () => {
    const client = await visit({ keep: {}, protocol: 'json-rpc' }, (socket, text) => {
      const { id, method } = JSON.parse(text)
      const isKnown = method === 'add'
      socket.send(JSON.stringify({ jsonrpc: '2.0', id, ...(isKnown ? { result: 3 } : { error: { code: -32601 } }) }))
    })
    for (const [id, method] of ['add', 'subtract', 'add'].entries()) {
      client.send(JSON.stringify({ jsonrpc: '2.0', id, method }))
      await client.next()
    }
    const span = await telemetry.waitForSpan('process subtract')
    await client.close(1000)
    expect(telemetry.names()).toEqual(['process subtract'])
    expect(span.kind).toBe(SpanKind.SERVER)
    expect(span.attributes).toMatchObject({
      [REASON]: 'error',
      'error.type': '-32601',
      'websocket.operation.id': '1',
      'websocket.operation.outcome': 'error',
      'websocket.message.sequence': 2,
    })
  })

  it('records a message whose handler has closed the connection for a violation', async () => {
    const client = await visit({ keep: {}, messageName: '$.type' }, (socket, text) => {
      if (JSON.parse(text).type === 'bad') socket.close(1008)
      else socket.send(text)
    })
    client.send('{"type":"good"}')
    await client.next()
    client.send('{"type":"bad"}')
    const span = await telemetry.waitForSpan('process bad')
    expect(span.attributes[REASON]).toBe('close')
    expect(telemetry.names()).toEqual(['process bad'])
  })
})
