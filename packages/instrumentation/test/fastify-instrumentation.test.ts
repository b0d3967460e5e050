import { channel } from 'node:diagnostics_channel'
import type { AddressInfo } from 'node:net'
import websocket from '@fastify/websocket'
import otelWs from '@otel-ws/fastify'
import { FastifyWebSocketInstrumentation, WsInstrumentation } from '@otel-ws/instrumentation'
import { connect, Telemetry } from '@otel-ws/testkit'
import Fastify, { type FastifyInstance } from 'fastify'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const ROUTE = '/chat/:room'
const CONVERSATION = ['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} ${ROUTE}`)

describe('FastifyWebSocketInstrumentation', () => {
  let telemetry: Telemetry
  let instrumentation: FastifyWebSocketInstrumentation | undefined
  let apps: FastifyInstance[] = []

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    for (const app of apps) await app.close()
    apps = []
    instrumentation?.disable()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  async function serve(prepare: (app: FastifyInstance) => unknown = () => {}): Promise<FastifyInstance> {
    const app = Fastify()
    apps.push(app)
    await prepare(app)
    await app.register(websocket)
    app.get(ROUTE, { websocket: true }, (socket) => {
      socket.on('message', (data) => socket.send(String(data)))
    })
    await app.listen({ port: 0, host: '127.0.0.1' })
    return app
  }

  const open = (app: FastifyInstance) =>
    connect(`ws://127.0.0.1:${(app.server.address() as AddressInfo).port}/chat/lobby`)

  async function talk(app: FastifyInstance): Promise<void> {
    const client = await open(app)
    client.send('a')
    expect(await client.next()).toBe('a')
    await client.close(1000)
  }

  it('traces instances created after it', async () => {
    const before = await serve()
    instrumentation = new FastifyWebSocketInstrumentation()
    const after = await serve()
    await talk(before)
    await talk(after)
    await telemetry.waitForSpan(`close ${ROUTE}`)
    expect(telemetry.names()).toEqual(CONVERSATION)
    expect(new Set(telemetry.spans().map((span) => span.instrumentationScope.name))).toEqual(
      new Set(['@otel-ws/fastify']),
    )
  })

  it('records once beside the instrumentation of ws', async () => {
    const ws = new WsInstrumentation()
    instrumentation = new FastifyWebSocketInstrumentation()
    await talk(await serve())
    await telemetry.waitForSpan(`close ${ROUTE}`)
    expect(telemetry.names()).toEqual(CONVERSATION)
    ws.disable()
  })

  it('uses the options of an application that registers the plugin itself', async () => {
    instrumentation = new FastifyWebSocketInstrumentation({ messageName: () => 'ambient' })
    const app = await serve((it) => it.register(otelWs, { messageName: () => 'by hand' }))
    await talk(app)
    await telemetry.waitForSpan(`close ${ROUTE}`)
    expect(telemetry.names()).toEqual(
      ['GET', 'close', 'open'].map((name) => `${name} ${ROUTE}`).concat(['process by hand', 'send by hand']),
    )
    instrumentation.disable()
    await talk(app)
    await telemetry.waitForSpan(`close ${ROUTE}`, 2)
  })

  it('does not trace an application that registers the plugin itself and disables it', async () => {
    instrumentation = new FastifyWebSocketInstrumentation()
    await talk(await serve((app) => app.register(otelWs, { enabled: false })))
    expect(telemetry.names()).toEqual([])
  })

  it('restores servers and connections when disabled, and traces them again when enabled', async () => {
    const own = ({ websocketServer, server }: FastifyInstance) =>
      [websocketServer, server, ...websocketServer.clients].map((host) => Reflect.ownKeys(host))
    const bare = await serve()
    const untraced = await open(bare)
    instrumentation = new FastifyWebSocketInstrumentation()
    const app = await serve()
    const client = await open(app)
    expect(own(app)).not.toEqual(own(bare))
    instrumentation.disable()
    expect(own(app)).toEqual(own(bare))
    await untraced.close()
    client.send('untold')
    expect(await client.next()).toBe('untold')
    await client.close()
    await talk(app)
    expect(telemetry.names()).toEqual([`GET ${ROUTE}`, `open ${ROUTE}`])
    instrumentation.enable()
    await talk(app)
    await telemetry.waitForSpan(`close ${ROUTE}`)
    expect(telemetry.spans(`process ${ROUTE}`)).toHaveLength(1)
  })

  it('uses a new configuration for later connections', async () => {
    instrumentation = new FastifyWebSocketInstrumentation()
    const app = await serve()
    instrumentation.setConfig({ messageName: () => 'named' })
    await talk(app)
    await telemetry.waitForSpan(`close ${ROUTE}`)
    expect(telemetry.spans('process named')).toHaveLength(1)
  })

  it('warns once about a version that is not supported', () => {
    instrumentation = new FastifyWebSocketInstrumentation()
    const register = () => expect.unreachable()
    channel('fastify.initialization').publish({ fastify: { version: '6.0.0', register } })
    channel('fastify.initialization').publish({ fastify: { version: '6.0.0', register } })
    expect(telemetry.diagnostics).toEqual([
      '@otel-ws/instrumentation/fastify fastify 6.0.0 is not traced: supported are 5.x',
    ])
  })
})
