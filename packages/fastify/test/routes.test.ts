import websocket from '@fastify/websocket'
import { SpanKind, trace } from '@opentelemetry/api'
import otelWs, { connectionOf, OptionError } from '@otel-ws/fastify'
import { connect } from '@otel-ws/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { describe, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { useApps } from './apps.ts'

const apps = useApps()

function echo(socket: WebSocket): void {
  socket.on('message', (data) => socket.send(data.toString()))
}

const orders = ['first', 'last'] as const
const kinds = ['websocket: true', 'wsHandler'] as const

function addRoute(app: FastifyInstance, url: string, kind: (typeof kinds)[number]): void {
  if (kind === 'wsHandler') app.route({ method: 'GET', url, handler: async () => 'plain', wsHandler: echo })
  else app.get(url, { websocket: true }, echo)
}

/** Orders and scopes of registration; each returns the application and the template of its route. */
const places = {
  'the root': async (order: (typeof orders)[number], kind: (typeof kinds)[number]) => {
    const app = await apps.create({ last: order === 'last' })
    addRoute(app, '/chat/:room', kind)
    return { app, path: '/chat/lobby', route: '/chat/:room' }
  },
  'an inner scope': async (order: (typeof orders)[number], kind: (typeof kinds)[number]) => {
    const app = await apps.create({ last: order === 'last' })
    await app.register(async (inner) => addRoute(inner, '/chat/:room', kind))
    return { app, path: '/chat/lobby', route: '/chat/:room' }
  },
  'a scope with a prefix': async (order: (typeof orders)[number], kind: (typeof kinds)[number]) => {
    const app = await apps.create({ last: order === 'last' })
    await app.register(async (inner) => addRoute(inner, '/:room', kind), { prefix: '/v1/chat' })
    return { app, path: '/v1/chat/lobby', route: '/v1/chat/:room' }
  },
  'a scope that has the host plugin to itself': async (
    order: (typeof orders)[number],
    kind: (typeof kinds)[number],
  ) => {
    const app = apps.keep(Fastify({ forceCloseConnections: true }))
    if (order === 'first') await app.register(otelWs)
    await app.register(
      async (inner) => {
        await inner.register(websocket)
        addRoute(inner, '/chat/:room', kind)
      },
      { prefix: '/v1' },
    )
    if (order === 'last') await app.register(otelWs)
    return { app, path: '/v1/chat/lobby', route: '/v1/chat/:room' }
  },
  'a scope that has both plugins to itself': async (order: (typeof orders)[number], kind: (typeof kinds)[number]) => {
    const app = apps.keep(Fastify({ forceCloseConnections: true }))
    await app.register(
      async (inner) => {
        if (order === 'first') await inner.register(otelWs)
        await inner.register(websocket)
        if (order === 'last') await inner.register(otelWs)
        addRoute(inner, '/chat/*', kind)
      },
      { prefix: '/v1' },
    )
    return { app, path: '/v1/chat/a/b', route: '/v1/chat/*' }
  },
}

const matrix = Object.keys(places).flatMap((place) =>
  orders.flatMap((order) => kinds.map((kind) => [place as keyof typeof places, order, kind] as const)),
)

describe('a route', () => {
  it.each(matrix)(
    'in %s, with our plugin %s, declared by %s, is traced under its template',
    async (place, order, kind) => {
      const { app, path, route } = await places[place](order, kind)
      const url = await apps.listen(app)
      const client = await apps.connect(url + path)
      client.send('x')
      expect(await client.next()).toBe('x')
      await client.close(1000)
      await apps.telemetry.waitForSpan(`close ${route}`)
      const names = ['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} ${route}`)
      // The handler of a route that was declared before otelWs was registered is not wrapped.
      const late = place === 'a scope that has the host plugin to itself' && order === 'last'
      expect(apps.telemetry.names()).toEqual(names.filter((name) => !(late && name.startsWith('open'))))
      for (const span of apps.telemetry.spans()) expect(span.attributes['websocket.route']).toBe(route)
      const handshake = apps.telemetry.span(`GET ${route}`)
      expect(handshake.kind).toBe(SpanKind.SERVER)
      expect(handshake.attributes).toMatchObject({
        'http.route': route,
        'url.path': path,
        'http.response.status_code': 101,
        'websocket.handshake.outcome': 'accepted',
      })
      const rows = (await apps.telemetry.collect()).filter((row) => row.count !== 0)
      for (const row of rows) expect([row.name, row.attributes['websocket.route']]).toEqual([row.name, route])
    },
  )

  it('answers plain HTTP as without telemetry, and records no span for it', async () => {
    const answers = []
    for (const telemetry of [null, {}]) {
      const app = await apps.create({ telemetry })
      addRoute(app, '/ws', 'websocket: true')
      addRoute(app, '/both', 'wsHandler')
      app.get('/plain', async () => ({ span: trace.getActiveSpan()?.spanContext().spanId ?? 'none' }))
      await app.ready()
      for (const url of ['/ws', '/both', '/plain', '/nowhere']) {
        const { statusCode, body } = await app.inject({ url })
        answers.push([url, statusCode, body])
      }
    }
    expect(answers.slice(4)).toEqual(answers.slice(0, 4))
    expect(answers[2]).toEqual(['/plain', 200, '{"span":"none"}'])
    expect(apps.telemetry.counts().started).toBe(0)
  })

  it('of plain HTTP that gets an upgrade request is opened and closed by the host, and recorded', async () => {
    const app = await apps.create()
    app.get('/plain', async () => 'plain')
    const client = await apps.connect(`${await apps.listen(app)}/plain`)
    expect(await client.closed).toEqual({ code: 1005, reason: '' })
    const close = await apps.telemetry.waitForSpan('close /plain')
    expect(close.attributes).toMatchObject({ 'websocket.close.code': 1005, 'websocket.close.initiator': 'local' })
    expect(apps.telemetry.names()).toEqual(['GET /plain', 'close /plain'])
  })

  it('gives its connection to the request', async () => {
    const app = await apps.create()
    const seen: unknown[] = []
    app.addHook('preHandler', async (request) => {
      seen.push(request.wsConnection)
    })
    app.get('/ws', { websocket: true }, (socket, request) => {
      seen.push(request.wsConnection === connectionOf(socket), request.wsConnection?.route)
      request.wsConnection?.setAttribute('user.id', 'ada')
      echo(socket)
    })
    app.get('/plain', async (request) => request.wsConnection === undefined)
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    client.send('x')
    await client.next()
    await client.close(1000)
    expect(seen).toEqual([undefined, true, '/ws'])
    await apps.telemetry.waitForSpan('close /ws')
    for (const name of ['process /ws', 'send /ws', 'close /ws'])
      expect(apps.telemetry.span(name).attributes['user.id']).toBe('ada')
    expect((await app.inject('/plain')).body).toBe('true')
  })

  it('is traced without a port', async () => {
    const app = await apps.create()
    app.get('/chat/:room', { websocket: true }, echo)
    await app.ready()
    const socket = await app.injectWS('/chat/lobby', { headers: { 'user-agent': 'inject' } })
    const answer = new Promise((resolve) => socket.once('message', (data) => resolve(data.toString())))
    socket.send('x')
    expect(await answer).toBe('x')
    socket.terminate()
    await apps.telemetry.waitForSpan('close /chat/:room')
    expect(apps.telemetry.names()).toEqual(
      ['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} /chat/:room`),
    )
    const { attributes } = apps.telemetry.span('GET /chat/:room')
    expect(attributes).toMatchObject({ 'url.path': '/chat/lobby', 'user_agent.original': 'inject' })
    expect(attributes).not.toHaveProperty('client.address')
  })

  it('is rejected without a port', async () => {
    const app = await apps.create()
    app.get('/ws', { websocket: true, onRequest: async (_request, reply) => reply.code(401).send('no') }, echo)
    await app.ready()
    await expect(app.injectWS('/ws')).rejects.toThrow('Unexpected server response: 401')
    const span = await apps.telemetry.waitForSpan('GET /ws')
    expect(span.attributes).toMatchObject({
      'http.response.status_code': 401,
      'websocket.handshake.outcome': 'rejected',
    })
  })

  it('that option ignore names has neither spans nor metrics', async () => {
    const app = await apps.create({ telemetry: { ignore: { routes: ['/quiet/:room', /^\/silent/] } } })
    const active: unknown[] = []
    for (const url of ['/quiet/:room', '/silent', '/loud']) {
      app.get(url, { websocket: true }, (socket, request) => {
        active.push([url, trace.getActiveSpan() !== undefined, request.wsConnection !== undefined])
        echo(socket)
      })
    }
    const url = await apps.listen(app)
    for (const path of ['/quiet/lobby', '/silent', '/loud']) {
      const client = await apps.connect(url + path)
      client.send('x')
      expect(await client.next()).toBe('x')
      await client.close(1000)
    }
    await apps.telemetry.waitForSpan('close /loud')
    expect(active).toEqual([
      ['/quiet/:room', false, false],
      ['/silent', false, false],
      ['/loud', true, true],
    ])
    expect(apps.telemetry.names()).toEqual(['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} /loud`))
    for (const row of await apps.telemetry.collect()) expect(row.attributes['websocket.route']).toBe('/loud')
  })

  it('of two applications in one process is recorded once, by its own plugin', async () => {
    for (const name of ['one', 'two']) {
      const app = await apps.create({ telemetry: { onHandshake: () => ({ app: name }) } })
      app.get(`/${name}`, { websocket: true }, echo)
      const client = await apps.connect(`${await apps.listen(app)}/${name}`)
      await client.close(1000)
      await apps.telemetry.waitForSpan(`close /${name}`)
      expect(apps.telemetry.span(`GET /${name}`).attributes['app']).toBe(name)
    }
  })
})

describe('the plugin', () => {
  it('changes nothing when disabled', async () => {
    const app = await apps.create({ telemetry: { enabled: false } })
    const connections: unknown[] = []
    app.get('/ws', { websocket: true }, (socket, request) => {
      connections.push(request.wsConnection)
      echo(socket)
    })
    const { emit } = app.server
    const url = await apps.listen(app)
    expect([app.server.emit, Object.hasOwn(app.server, 'emit')]).toEqual([emit, false])
    expect(Object.hasOwn(app.websocketServer, 'handleUpgrade')).toBe(false)
    const client = await apps.connect(`${url}/ws`)
    client.send('x')
    expect(await client.next()).toBe('x')
    const [socket] = app.websocketServer.clients
    for (const method of ['emit', 'send', 'close', 'terminate', 'ping'])
      expect(Object.hasOwn(socket as object, method)).toBe(false)
    await client.close(1000)
    expect(connections).toEqual([undefined])
    expect(apps.telemetry.counts().started).toBe(0)
    expect(await apps.telemetry.collect()).toEqual([])
  })

  it.each([
    [{ traces: 'conected' }, /traces must be one of/],
    [{ outgoign: true }, /did you mean outgoing/],
    [{ heartbeatTerminate: true }, /needs heartbeatInterval/],
  ])('throws for %j when it is registered', async (options, message) => {
    const app = apps.keep(Fastify())
    const registered = Promise.resolve(app.register(otelWs, options as never))
    await expect(registered).rejects.toThrow(OptionError)
    await expect(registered).rejects.toThrow(message)
    await expect(registered).rejects.toMatchObject({ code: 'OTEL_WS_INVALID_OPTION' })
  })

  it('takes options from a function, as any plugin does', async () => {
    const app = apps.keep(Fastify({ forceCloseConnections: true }))
    await app.register(otelWs, () => ({ messages: false }))
    await app.register(websocket)
    app.get('/ws', { websocket: true }, echo)
    const client = await apps.connect(`${await apps.listen(app)}/ws`)
    client.send('x')
    await client.next()
    await client.close(1000)
    await apps.telemetry.waitForSpan('close /ws')
    expect(apps.telemetry.names()).toEqual(['GET /ws', 'close /ws', 'open /ws'])
  })

  it('has no effect without the plugin of the host', async () => {
    const app = apps.keep(Fastify())
    await app.register(otelWs)
    app.get('/plain', async () => 'plain')
    expect((await app.inject('/plain')).body).toBe('plain')
    await app.listen({ port: 0, host: '127.0.0.1' })
    await app.close()
    expect(apps.telemetry.counts().started).toBe(0)
  })

  it('has the name and metadata of a plugin', async () => {
    const app = await apps.create()
    expect(app.hasPlugin('@otel-ws/fastify')).toBe(true)
  })
})

it.each([
  [true, ['wss', '203.0.113.7', '127.0.0.1', 'chat.example.com']],
  [false, ['ws', '127.0.0.1', undefined, '127.0.0.1']],
])('follows the trust in proxies of Fastify: %s', async (trustProxy, expected) => {
  const app = await apps.create({ fastify: { trustProxy } })
  app.get('/chat/:room', { websocket: true }, echo)
  const headers = {
    'x-forwarded-for': '203.0.113.7',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'chat.example.com',
  }
  const client = await connect(`${await apps.listen(app)}/chat/lobby`, [], { headers })
  const { attributes } = await apps.telemetry.waitForSpan('GET /chat/:room')
  const names = ['url.scheme', 'client.address', 'network.peer.address', 'server.address']
  expect(names.map((name) => attributes[name])).toEqual(expected)
  await client.close(1000)
})
