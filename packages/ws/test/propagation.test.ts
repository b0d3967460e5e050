import { once } from 'node:events'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { CONFIRMATION, connect, HEADER_OFFER, QUERY_OFFER, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type ServerOptions, WebSocket, WebSocketServer } from 'ws'

/** The oldest release that the peer range allows. */
const oldest = createRequire(import.meta.url)('ws-oldest') as { readonly Server: typeof WebSocketServer }

const ASKING = { headers: { 'otel-ws': HEADER_OFFER } }
const CARRIED = '{"_otel":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},"a":1}'

describe('context in messages', () => {
  let telemetry: Telemetry
  let stop: (() => Promise<void>)[]

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    stop = []
  })

  afterEach(async () => {
    for (const step of stop) await step()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  async function serve(Server: typeof WebSocketServer, options: ServerOptions = {}) {
    const wss = new Server({ port: 0, host: '127.0.0.1', ...options })
    const traced = traceWebSocketServer(wss, { route: '/chat' })
    stop.push(async () => {
      for (const socket of wss.clients) socket.terminate()
      await new Promise((resolve) => wss.close(resolve))
      await traced.shutdown()
    })
    await once(wss, 'listening')
    return { wss, traced, url: `ws://127.0.0.1:${(wss.address() as AddressInfo).port}/` }
  }

  it.each([
    ['a header', ASKING, ''],
    ['the query', {}, QUERY_OFFER],
  ])('of the oldest ws is agreed on by %s and carried both ways', async (_, options, query) => {
    const { wss, url } = await serve(oldest.Server)
    const seen: string[] = []
    wss.on('connection', (socket) => {
      socket.on('message', (data) => {
        seen.push(data.toString())
        socket.send(data.toString())
      })
    })
    const client = await connect(url + query, [], options)
    if (query !== '') {
      expect(await client.next()).toMatch(/^\{"_otel":\{"v":1,"id":"[0-9a-f]{16}"\}\}$/)
      client.send(CONFIRMATION)
    }
    client.send(CARRIED)
    const answer = await client.next()
    const send = await telemetry.waitForSpan('send /chat')
    expect(seen).toEqual(['{"a":1}'])
    expect(answer).toBe(CARRIED.replace('b7ad6b7169203331', send.spanContext().spanId))
    expect(send.parentSpanContext?.spanId).toBe((await telemetry.waitForSpan('process /chat')).spanContext().spanId)
    await client.close()
  })

  it('is not put into what a class with a send of its own is given', async () => {
    const sent: unknown[] = []
    class Wrapping extends WebSocket {
      override send(data: unknown, ...rest: unknown[]): void {
        sent.push(data)
        ;(super.send as (...args: unknown[]) => void).call(this, `["${String(data).length}",${data}]`, ...rest)
      }
    }
    const { wss, url } = await serve(WebSocketServer, { WebSocket: Wrapping as typeof WebSocket })
    wss.on('connection', (socket) => socket.on('message', () => socket.send('{"a":1}')))
    const client = await connect(url + QUERY_OFFER)
    // The hello message does not go through the class.
    expect(await client.next()).toMatch(/^\{"_otel":\{"v":1/)
    client.send(CONFIRMATION)
    client.send('{}')
    expect(await client.next()).toBe('["7",{"a":1}]')
    expect(sent).toEqual(['{"a":1}'])
    await client.close()
  })

  it('of a message in fragments ends with the telemetry, when its last fragment has not been sent by then', async () => {
    const { wss, traced, url } = await serve(WebSocketServer)
    const opened = once(wss, 'connection') as Promise<[WebSocket]>
    const client = await connect(url, [], ASKING)
    const [socket] = await opened
    socket.send('{"a":', { fin: false })
    expect(telemetry.openSpans()).toEqual(['send /chat'])
    await traced.shutdown()
    expect(telemetry.openSpans()).toEqual([])
    socket.send('1}')
    expect(await client.next()).toMatch(/^\{"_otel":\{"traceparent":"[^"]+"\},"a":1\}$/)
    await client.close()
  })
})
