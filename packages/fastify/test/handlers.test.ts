import { setImmediate } from 'node:timers/promises'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { useApps } from './apps.ts'

const apps = useApps()
const error = Object.assign(new Error('no room'), { code: 'E_ROOM' })

const failures: Record<string, () => unknown> = {
  'a throw': () => {
    throw error
  },
  'a rejection': async () => {
    await setImmediate()
    throw error
  },
  'a rejected promise': () => Promise.reject(error),
}

describe('the handler of a route', () => {
  it.each(Object.keys(failures))(
    'that fails by %s calls errorHandler exactly as without us, and is told',
    async (how) => {
      const calls: unknown[][] = []
      for (const telemetry of [null, {}]) {
        const app = await apps.create({
          telemetry,
          websocket: {
            errorHandler(this: unknown, given, socket, request, reply) {
              calls.push([
                given === error,
                this === app,
                socket === [...app.websocketServer.clients][0],
                request.url,
                reply.request === request,
              ])
              socket.close(4000, 'failed')
            },
          },
        })
        app.get('/ws', { websocket: true }, failures[how] as (socket: WebSocket) => void)
        const client = await apps.connect(`${await apps.listen(app)}/ws`)
        expect(await client.closed).toEqual({ code: 4000, reason: 'failed' })
      }
      expect(calls).toEqual([
        [true, true, true, '/ws', true],
        [true, true, true, '/ws', true],
      ])
      const open = await apps.telemetry.waitForSpan('open /ws')
      expect(open.status).toEqual({ code: SpanStatusCode.ERROR, message: 'no room' })
      expect(open.attributes['error.type']).toBe('E_ROOM')
      expect(open.events.filter(({ name }) => name === 'exception')).toHaveLength(1)
      const close = await apps.telemetry.waitForSpan('close /ws')
      expect(close.attributes).toMatchObject({ 'websocket.close.code': 4000, 'websocket.close.initiator': 'local' })
      expect(apps.telemetry.names()).toEqual(['GET /ws', 'close /ws', 'open /ws'])
    },
  )

  it('that fails without an errorHandler is terminated by the host, and the close says so', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true }, failures['a throw'] as () => void)
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    expect((await client.closed).code).toBe(1006)
    const close = await apps.telemetry.waitForSpan('close /ws')
    expect(close.attributes).toMatchObject({ 'websocket.close.code': 1006, 'websocket.close.initiator': 'local' })
    expect(apps.telemetry.span('open /ws').status.code).toBe(SpanStatusCode.ERROR)
  })

  it('passes errors of the socket to errorHandler as without telemetry', async () => {
    const calls: unknown[] = []
    for (const telemetry of [null, {}]) {
      const app = await apps.create({
        telemetry,
        websocket: { errorHandler: (given) => calls.push((given as Error & { code: string }).code) },
      })
      app.get('/ws', { websocket: true }, (socket) => {
        socket.on('message', () => socket.emit('error', error))
      })
      const client = await apps.connect(`${await apps.listen(app)}/ws`)
      client.send('x')
      const [socket] = app.websocketServer.clients
      await new Promise((resolve) => socket?.once('error', resolve))
      await client.close(1000)
    }
    expect(calls).toEqual(['E_ROOM', 'E_ROOM'])
  })

  it('keeps its arguments, its this, its name and its length', async () => {
    const seen: unknown[] = []
    const app = await apps.create()
    app.decorate('own', 42)
    const declared: unknown[] = []
    app.addHook('onRoute', (route) => {
      if (route.method === 'GET' && route.wsHandler) declared.push([route.wsHandler.name, route.wsHandler.length])
    })
    function chat(this: unknown, socket: WebSocket, request: { url: string }): void {
      seen.push((this as { own?: number }).own, socket.readyState, request.url)
      socket.close(1000)
    }
    app.route({ method: 'GET', url: '/ws', handler: async () => 'plain', wsHandler: chat as never })
    const client = await apps.connect(`${await apps.listen(app)}/ws?x=1`)
    await client.closed
    expect(seen).toEqual([42, 1, '/ws?x=1'])
    expect(declared).toEqual([['chat', 2]])
    await apps.telemetry.waitForSpan('close /ws')
  })

  it('that is async has an open span that is active until it settles', async () => {
    const app = await apps.create()
    let release = (): void => {}
    const gate = new Promise<void>((resolve) => {
      release = resolve
    })
    const active: unknown[] = []
    app.get('/ws', { websocket: true }, async (socket) => {
      active.push(trace.getActiveSpan()?.spanContext().spanId)
      await gate
      active.push(trace.getActiveSpan()?.spanContext().spanId)
      socket.send('ready')
    })
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    expect(apps.telemetry.openSpans()).toContain('open /ws')
    release()
    expect(await client.next()).toBe('ready')
    const open = await apps.telemetry.waitForSpan('open /ws')
    expect(active).toEqual([open.spanContext().spanId, open.spanContext().spanId])
    const handshake = apps.telemetry.span('GET /ws')
    expect(open.parentSpanContext?.spanId).toBe(handshake.spanContext().spanId)
    const send = await apps.telemetry.waitForSpan('send /ws')
    expect(send.parentSpanContext?.spanId).toBe(open.spanContext().spanId)
    await client.close(1000)
    await apps.telemetry.waitForSpan('close /ws')
  })

  it('that the host refuses is refused as without telemetry', async () => {
    const messages: unknown[] = []
    for (const telemetry of [null, {}]) {
      const app = await apps.create({ telemetry })
      for (const route of [
        { method: 'POST' as const, url: '/a', websocket: true, handler: () => {} },
        { method: 'GET' as const, url: '/b', handler: () => {}, wsHandler: 'chat' },
      ]) {
        try {
          app.route(route as never)
          messages.push('taken')
        } catch (refused) {
          messages.push(String(refused))
        }
      }
    }
    expect(messages).toHaveLength(4)
    expect(messages.slice(2)).toEqual(messages.slice(0, 2))
    expect(messages[1]).toMatch(/invalid wsHandler/)
  })
})
