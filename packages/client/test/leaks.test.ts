import { connectionOf, traceUrl, traceWebSocket } from '@otel-ws/client'
import { traceWebSocketServer } from '@otel-ws/ws'
import { describe, expect, it } from 'vitest'
import { event, kinds } from './clients.ts'
import { useServer } from './server.ts'

const VISITS = 50

const { gc } = globalThis as unknown as { gc(): void }

describe.each(kinds)('$name', ({ connect }) => {
  const fixture = useServer((wss) => {
    traceWebSocketServer(wss, { route: '/r' })
    wss.on('connection', (socket) => {
      socket.on('message', (data) => socket.send(data.toString()))
    })
  })

  async function visit(refs?: WeakRef<object>[]): Promise<void> {
    const socket = traceWebSocket(connect(traceUrl(fixture.url, { route: '/r' })), { route: '/r' })
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
    await fixture.telemetry.waitUntil(() => fixture.telemetry.openSpans().length === 0, 'the end of every span')
    expect(refs).toHaveLength(2 * VISITS)
    const [active] = await fixture.telemetry.collect('websocket.client.connection.active')
    expect(active?.value).toBe(0)
    fixture.telemetry.forget()
    const left = (): number => refs.filter((ref) => ref.deref() !== undefined).length
    for (let round = 0; round < 50 && left() > 0; round++) {
      await new Promise((resolve) => setImmediate(resolve))
      gc()
    }
    expect(left()).toBe(0)
  })
})
