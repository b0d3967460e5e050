import { metrics, trace } from '@opentelemetry/api'
import { describe, expect, it, vi } from 'vitest'
import { useApps } from './apps.ts'

const apps = useApps()

describe('fastify.close()', () => {
  it.each([
    { forceCloseConnections: true, clients: 1 },
    { forceCloseConnections: false, clients: 1 },
    { forceCloseConnections: true, clients: 20 },
  ])(
    'has told every connection and flushed when it resolves: %j',
    async ({ forceCloseConnections, clients: count }) => {
      const app = await apps.create({ fastify: { forceCloseConnections } })
      app.get('/ws', { websocket: true }, () => {})
      const url = await apps.listen(app)
      const clients = await Promise.all(Array.from({ length: count }, () => apps.connect(`${url}/ws`)))
      const atFlush: number[] = []
      const flush = vi.spyOn(apps.telemetry.tracerProvider, 'forceFlush').mockImplementation(async () => {
        atFlush.push(apps.telemetry.spans('close /ws').length)
      })
      const flushMetrics = vi.spyOn(apps.telemetry.meterProvider, 'forceFlush')
      await app.close()
      expect(apps.telemetry.spans('close /ws')).toHaveLength(count)
      expect(apps.telemetry.openSpans()).toEqual([])
      expect(atFlush).toEqual([count])
      expect([flush.mock.calls.length, flushMetrics.mock.calls.length]).toEqual([1, 1])
      const [active] = await apps.telemetry.collect('websocket.server.connection.active')
      expect(active?.value).toBe(0)
      for (const client of clients) expect([1005, 1006]).toContain((await client.closed).code)
      vi.restoreAllMocks()
    },
  )

  it('flushes the providers of the options, and not the global ones', async () => {
    const flushed: string[] = []
    const tracerProvider = { getTracer: () => trace.getTracer('own'), forceFlush: async () => flushed.push('traces') }
    const meterProvider = {
      getMeter: (name: string) => metrics.getMeter(name),
      forceFlush: async () => flushed.push('metrics'),
    }
    const app = await apps.create({ telemetry: { tracerProvider, meterProvider } as never })
    const spies = [apps.telemetry.tracerProvider, apps.telemetry.meterProvider].map((own) =>
      vi.spyOn(own, 'forceFlush'),
    )
    await app.ready()
    await app.close()
    expect(flushed.sort()).toEqual(['metrics', 'traces'])
    for (const spy of spies) expect(spy).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('ends the span of a handler that never settles', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true }, async (socket) => {
      socket.on('message', () => {
        socket.send('taken')
        return new Promise(() => {})
      })
      await new Promise(() => {})
    })
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    client.send('x')
    await client.next()
    expect(apps.telemetry.openSpans().sort()).toEqual(['open /ws', 'process /ws'])
    await app.close()
    for (const name of ['open /ws', 'process /ws'])
      expect(apps.telemetry.span(name).attributes['websocket.span.ended_by']).toBe('shutdown')
  })

  it('succeeds when the flush fails', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true }, () => {})
    await apps.listen(app)
    vi.spyOn(apps.telemetry.tracerProvider, 'forceFlush').mockRejectedValue(new Error('collector is down'))
    await app.close()
    vi.restoreAllMocks()
    const lines = apps.telemetry.diagnostics.splice(0)
    expect(lines).toEqual(['otel-ws the SDK could not flush Error: collector is down'])
  })

  it('runs a preClose of the application as without telemetry', async () => {
    const order: string[] = []
    const app = await apps.create({
      websocket: {
        preClose(done) {
          order.push('preClose')
          for (const socket of this.websocketServer.clients) socket.close(1012, 'restart')
          this.websocketServer.close(done)
        },
      },
    })
    app.addHook('onClose', async () => {
      order.push('onClose')
    })
    app.get('/ws', { websocket: true }, () => {})
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    await app.close()
    expect(await client.closed).toEqual({ code: 1012, reason: 'restart' })
    expect(order).toEqual(['preClose', 'onClose'])
    expect(apps.telemetry.span('close /ws').attributes).toMatchObject({
      'websocket.close.code': 1012,
      'websocket.close.category': 'restart',
      'websocket.close.initiator': 'local',
    })
  })
})
