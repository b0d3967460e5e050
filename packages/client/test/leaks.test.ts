import { connectionOf, traceUrl, traceWebSocket } from '@otel-ws/client'
import { Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { WebSocketServer } from 'ws'
import { close, event, kinds, listen } from './clients.ts'

const VISITS = 50

const { gc } = globalThis as unknown as { gc(): void }

describe.each(kinds)('$name', ({ connect }) => {
  let telemetry: Telemetry
  let wss: WebSocketServer
  let url: string

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    ;({ wss, url } = await listen())
    traceWebSocketServer(wss, { route: '/r' })
    wss.on('connection', (socket) => {
      socket.on('message', (data) => socket.send(data.toString()))
    })
  })

  afterEach(async () => {
    await close(wss)
    await telemetry.uninstall()
  })

  async function visit(refs?: WeakRef<object>[]): Promise<void> {
    const socket = traceWebSocket(connect(traceUrl(url, { route: '/r' })), { route: '/r' })
    const record = connectionOf(socket)
    if (record !== undefined) refs?.push(new WeakRef(socket), new WeakRef(record))
    await event(socket, 'open')
    const answer = event(socket, 'message')
    socket.send('{"a":1}')
    await answer
    const closed = event(socket, 'close')
    socket.close(1000)
    await closed
  }

  it('lets go of sockets and their records once they are closed', async () => {
    const refs: WeakRef<object>[] = []
    await Promise.all(Array.from({ length: VISITS }, () => visit(refs)))
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    expect(refs).toHaveLength(2 * VISITS)
    const [active] = await telemetry.collect('websocket.client.connection.active')
    expect(active?.value).toBe(0)
    telemetry.forget()
    const left = (): number => refs.filter((ref) => ref.deref() !== undefined).length
    for (let round = 0; round < 50 && left() > 0; round++) {
      await new Promise((resolve) => setImmediate(resolve))
      gc()
    }
    expect(left()).toBe(0)
  })
})
