import { describe, expect, it, vi } from 'vitest'
import { useApps } from './apps.ts'

const apps = useApps()

describe('fastify.close()', () => {
  it.each([
    { forceCloseConnections: true, clients: 1 },
    { forceCloseConnections: false, clients: 1 },
    { forceCloseConnections: true, clients: 20 },
  ])('has recorded every close when it resolves: %j', async ({ forceCloseConnections, clients: count }) => {
    const app = await apps.create({ fastify: { forceCloseConnections } })
    app.get('/ws', { websocket: true }, () => {})
    const url = await apps.listen(app)
    const clients = await Promise.all(Array.from({ length: count }, () => apps.connect(`${url}/ws`)))
    await app.close()
    expect(apps.telemetry.spans('close /ws')).toHaveLength(count)
    expect(apps.telemetry.openSpans()).toEqual([])
    const [active] = await apps.telemetry.collect('websocket.server.connection.active')
    expect(active?.value).toBe(0)
    for (const client of clients) expect([1005, 1006]).toContain((await client.closed).code)
    expect(apps.telemetry.spans('close /ws')).toHaveLength(count)
  })

  it('never waits for the SDK: a collector that does not answer holds nothing up', async () => {
    const flushes = [apps.telemetry.tracerProvider, apps.telemetry.meterProvider].map((provider) =>
      vi.spyOn(provider, 'forceFlush').mockReturnValue(new Promise(() => {})),
    )
    const app = await apps.create()
    app.get('/ws', { websocket: true }, () => {})
    await apps.connect(`${await apps.listen(app)}/ws`)
    await app.close()
    for (const flush of flushes) expect(flush).not.toHaveBeenCalled()
    vi.restoreAllMocks()
  })

  it('ends the span of a handler that never settles', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true }, async (socket) => {
      socket.on('message', async () => {
        socket.send('taken')
        await new Promise(() => {})
      })
      await new Promise(() => {})
    })
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    client.send('x')
    await client.next()
    expect(apps.telemetry.openSpans().sort()).toEqual(['open /ws', 'process /ws'])
    await app.close()
    for (const name of ['open /ws', 'process /ws'])
      expect(apps.telemetry.span(name).attributes['websocket.span.ended_by']).toBe('disconnect')
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
