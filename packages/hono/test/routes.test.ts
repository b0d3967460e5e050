import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createNodeWebSocket } from '@hono/node-ws'
import { trace } from '@opentelemetry/api'
import { connectionOf, traceWebSocket } from '@otel-ws/hono'
import { connect, Telemetry } from '@otel-ws/testkit'
import { Hono } from 'hono'
import type { UpgradeWebSocket } from 'hono/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let telemetry: Telemetry
let server: Server | undefined

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve) ?? resolve(undefined))
  server = undefined
  await telemetry.uninstall()
})

/** Serves an application; returns the URL that sockets connect to. */
async function listen(add: (app: Hono, upgradeWebSocket: UpgradeWebSocket) => void, options = {}): Promise<string> {
  const app = new Hono()
  const { injectWebSocket, upgradeWebSocket } = traceWebSocket(app, createNodeWebSocket({ app }), options)
  add(app, upgradeWebSocket as UpgradeWebSocket)
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  injectWebSocket(server)
  if (!server.listening) await once(server, 'listening')
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

const greet = () => ({ onOpen: (_event: Event, socket: { send(text: string): void }) => socket.send('hello') })

describe('the route of a handshake', () => {
  it.each<[string, string, (app: Hono, upgrade: UpgradeWebSocket) => void]>([
    ['of a handler', '/chat/:room', (app, upgrade) => app.get('/chat/:room', upgrade(greet))],
    [
      'behind middleware of more paths, and before a fallback',
      '/chat/:room',
      (app, upgrade) => {
        app.use('/chat/*', (_c, next) => next())
        app.get('/chat/:room', upgrade(greet))
        app.get('*', (c) => c.text('page'))
      },
    ],
    [
      'of an application inside another one, with an error handler of its own',
      '/chat/:room',
      (app, upgrade) => {
        const inner = new Hono()
        inner.onError((_error, c) => c.text('failed', 500))
        inner.get('/:room', upgrade(greet))
        app.route('/chat', inner)
      },
    ],
    [
      'of a handler that calls the helper',
      '/chat/:room',
      (app, upgrade) => app.get('/chat/:room', (c) => upgrade(c, greet())),
    ],
    ['of a handler of all methods', '/chat/:room', (app, upgrade) => app.all('/chat/:room', upgrade(greet))],
  ])('is the template %s', async (_what, route, add) => {
    const client = await connect(`${await listen(add)}/chat/lobby`)
    expect(await client.next()).toBe('hello')
    await client.close(1000)
    await telemetry.waitForSpan(`close ${route}`)
    expect(telemetry.names()).toEqual([`GET ${route}`, `close ${route}`, `open ${route}`, `send ${route}`])
  })

  it('stands on rejections by middleware, and on none that no route is for', async () => {
    const url = await listen((app, upgrade) => {
      app.use('/chat/*', async (c) => c.text('no', 401))
      app.get('/chat/:room', upgrade(greet))
    })
    await expect(connect(`${url}/chat/lobby`)).rejects.toThrow('401')
    await expect(connect(`${url}/nowhere`)).rejects.toThrow('404')
    const rejected = await telemetry.waitForSpan('GET /chat/:room')
    expect(rejected.attributes['http.response.status_code']).toBe(401)
    const missing = await telemetry.waitForSpan('GET')
    expect(missing.attributes['http.response.status_code']).toBe(404)
  })

  it('excludes what option ignore names', async () => {
    const url = await listen(
      (app, upgrade) => {
        app.get('/health', upgrade(greet))
        app.get('/chat', upgrade(greet))
      },
      { ignore: { routes: ['/health'] } },
    )
    for (const path of ['/health', '/chat']) {
      const client = await connect(url + path)
      await client.next()
      await client.close(1000)
    }
    await telemetry.waitForSpan('close /chat')
    expect(telemetry.names().every((name) => name.endsWith('/chat'))).toBe(true)
  })

  it('leaves plain requests alone', async () => {
    const url = await listen((app) => app.get('/', (c) => c.text(String(trace.getActiveSpan()))))
    const response = await fetch(url.replace('ws', 'http'))
    expect(await response.text()).toBe('undefined')
    expect(telemetry.names()).toEqual([])
  })
})

it('calls handlers as Hono does: those of a class, those that are set later, with the same this', async () => {
  const seen: unknown[] = []
  class Events {
    name = 'events'
    onMessage?: (event: MessageEvent) => void
    onOpen(_event: Event, socket: { send(text: string): void }) {
      seen.push(this.name)
      this.onMessage = function (this: unknown, event) {
        seen.push((this as Events).name, event.data)
        socket.send('got it')
      }
      socket.send('ready')
    }
  }
  const url = await listen((app, upgrade) =>
    app.get(
      '/',
      upgrade(() => new Events() as never),
    ),
  )
  const client = await connect(url)
  expect(await client.next()).toBe('ready')
  client.send('x')
  expect(await client.next()).toBe('got it')
  await client.close(1000)
  await telemetry.waitForSpan('close /')
  expect(seen).toEqual(['events', 'events', 'x'])
})

it('finds the connection of a socket of Hono, and of the socket below it', async () => {
  const found: unknown[] = []
  const url = await listen((app, upgrade) =>
    app.get(
      '/',
      upgrade(() => ({
        onOpen(_event, socket) {
          found.push(connectionOf(socket), connectionOf(socket.raw as object))
          socket.close(1000)
        },
      })),
    ),
  )
  const client = await connect(url)
  await client.closed
  expect(found[0]).toBeDefined()
  expect(found[1]).toBe(found[0])
  await telemetry.waitForSpan('close /')
})
