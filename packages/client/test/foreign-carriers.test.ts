import { jsonName, traceWebSocket } from '@otel-ws/client'
import { foreignVectors, Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WebSocketServer } from 'ws'
import { close, event, kinds, listen } from './clients.ts'

describe.each(kinds)('$name', ({ connect }) => {
  let telemetry: Telemetry
  let wss: WebSocketServer
  let url: string

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    const server = await listen()
    wss = server.wss
    url = server.url
  })

  afterEach(async () => {
    await close(wss)
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    await telemetry.uninstall()
  })

  /** What the application gets of these texts of a server, and the span ids of the parents of their process spans. */
  async function receive(texts: readonly string[], options: Parameters<typeof traceWebSocket>[1]) {
    wss.on('connection', (peer) => {
      for (const text of texts) peer.send(text)
    })
    const socket = traceWebSocket(connect(url), options)
    const received: string[] = []
    await new Promise<void>((resolve) => {
      socket.addEventListener('message', ({ data }) => {
        received.push(String(data))
        if (received.length === texts.length) resolve()
      })
    })
    socket.close()
    await event(socket, 'close')
    const spans = telemetry.spans().filter(({ name }) => name.startsWith('process'))
    const place = 'websocket.message.sequence'
    spans.sort((a, b) => Number(a.attributes[place]) - Number(b.attributes[place]))
    return { received, parents: spans.map(({ parentSpanContext }) => parentSpanContext?.spanId) }
  }

  it('reads carriers of another format wherever they stand, and removes only the form that is written', async () => {
    const { carriers } = foreignVectors
    const { received, parents } = await receive(
      carriers.map(({ text }) => text),
      { propagation: 'always', carrierName: 'trace_context' },
    )
    expect(received).toEqual(carriers.map(({ payload }) => payload))
    expect(parents).toEqual(carriers.map(({ carrier }) => carrier?.['traceparent']?.slice(36, 52)))
  })

  it('reads none where the user has named no member', async () => {
    const [vector] = foreignVectors.carriers.filter(
      ({ carrier, text, payload }) => carrier !== null && text === payload,
    )
    const { received, parents } = await receive([vector?.text as string], { messageName: jsonName('$.type') })
    expect(received).toEqual([vector?.text])
    expect(parents).toEqual([undefined])
  })
})
