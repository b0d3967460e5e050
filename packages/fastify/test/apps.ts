import type { AddressInfo } from 'node:net'
import websocket, { type WebsocketPluginOptions } from '@fastify/websocket'
import otelWs, { type TelemetryOptions } from '@otel-ws/fastify'
import { connect, RawClient, Telemetry, type TestClient, type UpgradeOptions } from '@otel-ws/testkit'
import Fastify, { type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { afterEach, beforeEach, expect } from 'vitest'

export interface AppOptions {
  readonly fastify?: FastifyServerOptions
  readonly websocket?: WebsocketPluginOptions
  /** Options of otelWs; `null` for an application without it. */
  readonly telemetry?: TelemetryOptions | null
  /** otelWs is registered after the plugin of the host. */
  readonly last?: boolean
}

/** Applications of one test. They, their clients and the SDK are closed after it. */
export interface Apps {
  readonly telemetry: Telemetry
  /** An application with both plugins. */
  create(options?: AppOptions): Promise<FastifyInstance>
  /** Registers an application that the test created itself. */
  keep(app: FastifyInstance): FastifyInstance
  /** Listens, and returns the address without a path. */
  listen(app: FastifyInstance): Promise<string>
  /** Allows a span of another library to be open at the end of the test. */
  leftOpen(name: string): void
  connect(url: string, protocols?: string[]): Promise<TestClient>
  /** Sends an upgrade request and returns the status of the answer, when the connection has closed. */
  refused(url: string, options?: UpgradeOptions): Promise<number>
}

export function useApps(): Apps {
  let telemetry = new Telemetry()
  let apps: FastifyInstance[] = []
  let clients: { destroy(): void }[] = []
  let leftOpen: string[] = []

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
  })

  afterEach(async () => {
    const [ending, leaving, tolerated] = [apps, clients, leftOpen]
    apps = []
    clients = []
    leftOpen = []
    for (const client of leaving) client.destroy()
    for (const app of ending) await app.close()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual(tolerated)
    expect(telemetry.diagnostics).toEqual([])
  })

  const own: Apps = {
    get telemetry() {
      return telemetry
    },
    keep(app) {
      apps.push(app)
      return app
    },
    async create({ fastify, websocket: options = {}, telemetry: ours = {}, last = false } = {}) {
      const app = own.keep(Fastify({ forceCloseConnections: true, ...fastify }) as unknown as FastifyInstance)
      if (ours !== null && !last) await app.register(otelWs, ours)
      await app.register(websocket, options)
      if (ours !== null && last) await app.register(otelWs, ours)
      return app
    },
    async listen(app) {
      await app.listen({ port: 0, host: '127.0.0.1' })
      return `ws://127.0.0.1:${(app.server.address() as AddressInfo).port}`
    },
    leftOpen(name) {
      leftOpen.push(name)
    },
    async connect(url, protocols) {
      const client = await connect(url, protocols)
      clients.push({ destroy: () => client.socket.terminate() })
      return client
    },
    async refused(url, options) {
      const client = new RawClient(url, options)
      clients.push({ destroy: () => client.socket.destroy() })
      const { status } = await client.response
      await client.closed
      return status
    },
  }
  return own
}
