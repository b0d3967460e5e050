import { setImmediate } from 'node:timers/promises'
import websocket from '@fastify/websocket'
import { SpanStatusCode, trace } from '@opentelemetry/api'
import otelWs from '@otel-ws/fastify'
import { RawClient } from '@otel-ws/testkit'
import Fastify from 'fastify'
import { describe, expect, it } from 'vitest'
import { useApps } from './apps.ts'

const apps = useApps()
const HOOKS = ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const

function never(): void {
  throw new Error('the handler of a rejected request was called')
}

describe('a handshake', () => {
  it.each(HOOKS.flatMap((hook) => (['first', 'last'] as const).map((order) => [hook, order] as const)))(
    'rejected in %s, with our plugin %s, is told with its status',
    async (hook, order) => {
      const app = await apps.create({ last: order === 'last' })
      const active: unknown[] = []
      app.addHook(hook as 'preHandler', async (_request, reply) => {
        await setImmediate()
        active.push(trace.getActiveSpan()?.spanContext().spanId)
        return reply.code(401).send({ error: 'who are you?' })
      })
      app.get('/chat/:room', { websocket: true }, never)
      expect(await apps.refused(`${await apps.listen(app)}/chat/lobby?token=abc`)).toBe(401)
      const span = await apps.telemetry.waitForSpan('GET /chat/:room')
      expect(span.attributes).toMatchObject({
        'http.route': '/chat/:room',
        'http.response.status_code': 401,
        'url.query': 'token=REDACTED',
        'websocket.handshake.outcome': 'rejected',
      })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      expect(active).toEqual([span.spanContext().spanId])
      expect(apps.telemetry.names()).toEqual(['GET /chat/:room'])
      const [duration, ...more] = await apps.telemetry.collect('websocket.server.handshake.duration')
      expect(duration).toMatchObject({
        count: 1,
        attributes: {
          'websocket.route': '/chat/:room',
          'websocket.handshake.outcome': 'rejected',
          'http.response.status_code': 401,
        },
      })
      expect(more).toEqual([])
    },
  )

  it('rejected by a hook that existed before the plugins is recorded with its route, or ignored by it', async () => {
    const app = apps.keep(Fastify())
    app.addHook('onRequest', async (request, reply) => {
      // The host closes only the sockets of requests that reached its own hook.
      reply.raw.once('finish', () => request.raw.socket.destroy())
      return reply.code(401).send('no')
    })
    await app.register(otelWs, { ignore: { routes: ['/quiet'] } })
    await app.register(websocket)
    for (const url of ['/ws', '/quiet']) app.get(url, { websocket: true }, never)
    const url = await apps.listen(app)
    for (const path of ['/quiet', '/ws']) expect(await apps.refused(url + path)).toBe(401)
    await apps.telemetry.waitUntil(() => apps.telemetry.spans().length > 0, 'a handshake')
    const [span] = apps.telemetry.spans()
    expect(span?.attributes).toMatchObject({ 'http.route': '/ws', 'http.response.status_code': 401 })
    expect(apps.telemetry.names()).toEqual(['GET /ws'])
  })

  it.each(HOOKS)('whose %s of the route throws is recorded as an error', async (hook) => {
    const app = await apps.create()
    const failing = async () => {
      throw new Error('down')
    }
    app.get('/ws', { websocket: true, [hook]: failing }, never)
    expect(await apps.refused(`${await apps.listen(app)}/ws`)).toBe(500)
    const span = await apps.telemetry.waitForSpan('GET /ws')
    expect(span.attributes).toMatchObject({ 'http.response.status_code': 500, 'error.type': '500' })
    expect(span.status.code).toBe(SpanStatusCode.ERROR)
  })

  it('to an unknown path has a 404 and no route', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true }, never)
    expect(await apps.refused(`${await apps.listen(app)}/nowhere`)).toBe(404)
    const span = await apps.telemetry.waitForSpan('GET')
    expect(span.attributes).toMatchObject({
      'url.path': '/nowhere',
      'http.response.status_code': 404,
      'websocket.handshake.outcome': 'rejected',
    })
    expect(span.attributes).not.toHaveProperty('http.route')
    expect(apps.telemetry.names()).toEqual(['GET'])
  })

  it('that a not-found handler answers has its status', async () => {
    const app = await apps.create()
    app.setNotFoundHandler((_request, reply) => reply.code(410).send('gone'))
    expect(await apps.refused(`${await apps.listen(app)}/nowhere`)).toBe(410)
    const span = await apps.telemetry.waitForSpan('GET')
    expect(span.attributes['http.response.status_code']).toBe(410)
  })

  it('that the error handler of the application answers has its status', async () => {
    const app = await apps.create()
    app.setErrorHandler((_error, _request, reply) => reply.code(403).send('no'))
    app.addHook('preValidation', async () => {
      throw new Error('forbidden')
    })
    app.get('/ws', { websocket: true }, never)
    expect(await apps.refused(`${await apps.listen(app)}/ws`)).toBe(403)
    const span = await apps.telemetry.waitForSpan('GET /ws')
    expect(span.attributes['http.response.status_code']).toBe(403)
    expect(span.status.code).toBe(SpanStatusCode.UNSET)
  })

  it('that ws itself refuses has the status of ws', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true }, never)
    const url = await apps.listen(app)
    expect(await apps.refused(`${url}/ws`, { headers: { 'sec-websocket-key': 'short' } })).toBe(400)
    const span = await apps.telemetry.waitForSpan('GET /ws')
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 400,
      'websocket.handshake.outcome': 'rejected',
    })
  })

  it('is answered with the same bytes as without telemetry', async () => {
    const answers: string[] = []
    for (const telemetry of [null, {}]) {
      const app = await apps.create({ telemetry })
      app.get(
        '/ws',
        { websocket: true, onRequest: async (_request, reply) => reply.code(401).send({ error: 'x' }) },
        never,
      )
      const url = await apps.listen(app)
      for (const path of ['/ws', '/nowhere']) {
        const client = new RawClient(url + path)
        answers.push((await client.closed).toString().replace(/^date: .*$/gim, 'date: -'))
      }
    }
    expect(answers.slice(2)).toEqual(answers.slice(0, 2))
    expect(answers[0]).toMatch(/^HTTP\/1.1 401 Unauthorized\r\n/)
  })
})
