import type { Telemetry } from '@otel-ws/core/adapter'
import { traceServer } from '@otel-ws/ws/adapter'
import type { Hono } from 'hono'
import type { UpgradeWebSocket } from 'hono/ws'
import type { WebSocketServer } from 'ws'
import {
  type NodeEnvironment,
  runInHandshake,
  SERVER_OPTIONS,
  traceHelper,
  traceUpgrades,
  upgradeRequestOf,
} from './routes.ts'

/** Creates the telemetry of one server; `undefined` leaves it untraced. */
export type CreateTelemetry = () => Telemetry | undefined

/** The tracing of a server by an instrumentation, until the application traces it itself. */
interface Ambient {
  readonly telemetry: Telemetry
  stop(): void
}

/** By server of `ws`; a registered symbol, so that copies of this package agree. */
const AMBIENT = Symbol.for('otel-ws.hono.ambient')

type AmbientServer = WebSocketServer & { [AMBIENT]?: Ambient | 'replaced' | undefined }

/** Servers whose tracing an instrumentation stops when it is disabled. */
const running = new Set<WeakRef<AmbientServer>>()

/** The application traces a server itself: its options are used from now on. */
export function replaceAmbient(wss: WebSocketServer): void {
  stopAmbient(wss)
  Object.defineProperty(wss, AMBIENT, { value: 'replaced', configurable: true, writable: true })
}

function stopAmbient(wss: AmbientServer): void {
  const ambient = wss[AMBIENT]
  if (typeof ambient !== 'object') return
  ambient.stop()
  wss[AMBIENT] = undefined
}

function stopAll(): void {
  for (const reference of running) {
    const wss = reference.deref()
    if (wss !== undefined) stopAmbient(wss)
  }
  running.clear()
}

function startAmbient(wss: AmbientServer, create: CreateTelemetry): void {
  const telemetry = wss[AMBIENT] === undefined ? create() : undefined
  if (telemetry === undefined) return
  const traced = traceServer(wss, telemetry, SERVER_OPTIONS)
  const ambient: Ambient = { telemetry, stop: () => traced.restore() }
  Object.defineProperty(wss, AMBIENT, { value: ambient, configurable: true, writable: true })
  running.add(new WeakRef(wss))
}

function telemetryOf(wss: object | undefined): Telemetry | undefined {
  const ambient = (wss as AmbientServer | undefined)?.[AMBIENT]
  return typeof ambient === 'object' ? ambient.telemetry : undefined
}

/** What `@hono/node-ws` exports. */
export interface NodeWsModule {
  createNodeWebSocket(init: { app: Partial<Hono> }): { upgradeWebSocket: UpgradeWebSocket; wss: WebSocketServer }
}

/**
 * Traces every helper that `@hono/node-ws` creates from now on.
 *
 * @returns a function that restores the original export and stops the tracing
 */
export function traceNodeWs(module: NodeWsModule, create: CreateTelemetry): () => void {
  const { createNodeWebSocket: own } = module

  function createNodeWebSocket(init: Parameters<typeof own>[0]): ReturnType<typeof own> {
    const helper = own(init)
    const { wss, upgradeWebSocket } = helper
    startAmbient(wss, create)
    const find = () => telemetryOf(wss)
    if (find() === undefined) return helper
    init.app.use?.(traceUpgrades(find))
    return { ...helper, upgradeWebSocket: traceHelper(upgradeWebSocket, find) }
  }

  module.createNodeWebSocket = createNodeWebSocket
  return () => {
    if (module.createNodeWebSocket === createNodeWebSocket) module.createNodeWebSocket = own
    stopAll()
  }
}

type Fetch = (request: Request, environment?: NodeEnvironment, ...rest: unknown[]) => unknown

interface ServerOptions {
  readonly fetch: Fetch
  readonly websocket?: { readonly server?: WebSocketServer }
}

type CreateServer = (options: ServerOptions, ...rest: unknown[]) => unknown

/** What `@hono/node-server` exports from version 2 on. */
export interface NodeServerModule {
  serve: CreateServer
  createAdaptorServer: CreateServer
  upgradeWebSocket: UpgradeWebSocket
}

/**
 * Traces every server with WebSockets that `@hono/node-server` creates from now on.
 *
 * @returns a function that restores the original exports and stops the tracing
 */
export function traceNodeServer(module: NodeServerModule, create: CreateTelemetry): () => void {
  const { serve, createAdaptorServer, upgradeWebSocket } = module

  function traceOptions(options: ServerOptions): ServerOptions {
    const wss = options?.websocket?.server
    if (wss === undefined) return options
    startAmbient(wss, create)
    const { fetch } = options
    const tracedFetch: Fetch = (request, environment, ...rest) => {
      const telemetry = telemetryOf(wss)
      const upgrade = environment?.wss === wss ? upgradeRequestOf(environment) : undefined
      const decide = () => fetch(request, environment, ...rest)
      // The route is found by the application, inside.
      return telemetry === undefined || upgrade === undefined
        ? decide()
        : runInHandshake(upgrade, telemetry, () => undefined, decide)
    }
    return { ...options, fetch: tracedFetch }
  }

  const traced: NodeServerModule = {
    serve: (options, ...rest) => serve(traceOptions(options), ...rest),
    createAdaptorServer: (options, ...rest) => createAdaptorServer(traceOptions(options), ...rest),
    upgradeWebSocket: traceHelper(upgradeWebSocket, (c) => telemetryOf((c.env as NodeEnvironment | undefined)?.wss)),
  }
  Object.assign(module, traced)
  return () => {
    for (const [name, own] of Object.entries({ serve, createAdaptorServer, upgradeWebSocket })) {
      const key = name as keyof NodeServerModule
      if (module[key] === traced[key]) Object.assign(module, { [key]: own })
    }
    stopAll()
  }
}
