import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { type ConnectionContext, connectionOf, type TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { beginHandshake, driver, traceServer, watchUpgrades } from '@otel-ws/ws/adapter'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, RouteOptions } from 'fastify'
import fp from 'fastify-plugin'
import type { WebSocketServer } from 'ws'
import { enclosingContext, endRequestSpan, hasOtelPlugin } from './fastify-otel.ts'
import { addTraceIds } from './log-correlation.ts'
import { traceHandler } from './route-handler.ts'
import { SCOPE } from './version.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** The record of this request's WebSocket connection; `undefined` for other requests, and until the upgrade. */
    readonly wsConnection: ConnectionContext | undefined
  }
}

const plugin: FastifyPluginAsync<TelemetryOptions> = async (fastify, options) => {
  const telemetry = createTelemetry(options, SCOPE, driver)
  fastify.decorateRequest('wsConnection', {
    getter(this: FastifyRequest) {
      return connectionOf(this.raw)
    },
  })
  if (!telemetry.options.enabled) return

  const servers: WebSocketServer[] = []
  watchUpgrades(fastify.server, (request) => telemetry.unroutedHandshake(request))
  const traceHost = (instance: FastifyInstance) => traceHostServer(instance, telemetry)
  traceHost(fastify)
  addFirstRouteHook(fastify, function otelWsRoute(this: FastifyInstance, route) {
    traceHost(this)
    traceHandler(route)
  })
  fastify.addHook('onReady', async function otelWsReady(this: FastifyInstance) {
    traceHost(this)
  })
  fastify.addHook('onRequest', function otelWsRequest(request, _reply, done) {
    const handshake = handshakeFor(request)
    if (handshake === undefined || !routed(handshake, request)) {
      done()
      return
    }
    // Where `@fastify/otel` is at work the request's span is theirs: ours is created at the outcome and stands under it.
    if (handshake.enclosing !== undefined) {
      done()
      return
    }
    handshake.start()
    handshake.run(done)
  })
  fastify.addHook('onSend', function otelWsAnswer(request, _reply, _payload, done) {
    // An upgrade that reaches this hook is being rejected, perhaps by a hook that ran before ours, and the span of
    // `@fastify/otel` is still open.
    const handshake = handshakeFor(request)
    if (handshake === undefined || handshake.outcome !== undefined || !routed(handshake, request)) {
      done()
      return
    }
    handshake.start()
    done()
  })
  fastify.addHook('onClose', async function otelWsClose() {
    await closeEvents(servers)
    await telemetry.shutdown()
  })

  /** The handshake of an upgrade request, also of one that came by another http server than Fastify's own. */
  function handshakeFor(request: FastifyRequest): Handshake | undefined {
    const known = handshakeOf(request.raw)
    if (known !== undefined || request.raw.headers.upgrade === undefined) return known
    const socket = upgradeSocket(request.raw)
    return socket && beginHandshake(request.raw, socket, () => telemetry.unroutedHandshake(request.raw))
  }

  /** Tells a handshake its route, once. False when the request is left alone. */
  function routed(handshake: Handshake, request: FastifyRequest): boolean {
    if (seen.has(handshake)) return !handshake.discarded
    seen.add(handshake)
    // A scope that was loaded before us is seen here first, still before its server takes the request.
    traceHost(request.server)
    telemetry.routed(handshake, request.is404 ? undefined : request.routeOptions.url)
    if (handshake.discarded) return false
    addTraceIds(request.log)
    if (hasOtelPlugin(request)) handshake.enclosing = () => enclosingContext(request)
    return true
  }

  function traceHostServer(instance: FastifyInstance, own: Telemetry): void {
    // `@fastify/websocket` decorates the scope that it was registered in, which may be an inner one.
    const wss = (instance as { readonly websocketServer?: WebSocketServer }).websocketServer
    if (wss === undefined || traced.has(wss)) return
    traced.add(wss)
    servers.push(wss)
    traceServer(wss, own, { opensElsewhere: true, onUpgrade: endEnclosingSpan })
  }
}

/** Turns of the event loop that a transport which is destroyed already may take to say so. */
const MAX_TURNS = 10

/**
 * Fastify's hook runs when the http server has closed: the transports of all connections are gone, and their `close`
 * events are due within a few turns of the event loop. Waits for them, so that they are part of what is flushed.
 */
async function closeEvents(servers: readonly WebSocketServer[]): Promise<void> {
  const isDue = (socket: unknown) => (socket as { _socket?: { destroyed: boolean } | null })._socket?.destroyed === true
  for (let turn = 0; turn < MAX_TURNS; turn++) {
    if (!servers.some((wss) => [...(wss.clients ?? [])].some(isDue))) return
    await setImmediate()
  }
}

/** `@fastify/websocket` puts the socket of an upgrade on the request, under a symbol of this description. */
const UPGRADE_SOCKET = 'ws-socket'

function upgradeSocket(request: object): Duplex | undefined {
  const key = Object.getOwnPropertySymbols(request).find((symbol) => symbol.description === UPGRADE_SOCKET)
  return key === undefined ? undefined : (request as Record<symbol, Duplex | undefined>)[key]
}

/** Handshakes whose route is known. */
const seen = new WeakSet<Handshake>()

/** Servers that a plugin of ours has traced. */
const traced = new WeakSet<WebSocketServer>()

/** The request is upgraded and will get no answer through Fastify: nobody else ends the span of `@fastify/otel`. */
function endEnclosingSpan(handshake: Handshake): void {
  const { enclosing } = handshake
  if (enclosing === undefined) return
  handshake.onAnswered = (status) => endRequestSpan(enclosing(), status)
}

type RouteHook = (this: FastifyInstance, route: RouteOptions) => void

const HOOKS = 'fastify.hooks'

/**
 * Adds an `onRoute` hook that runs before those that are there already: `@fastify/websocket` takes a route's handler away
 * in such a hook, and has done so when it was registered before us. Where Fastify's list of hooks cannot be found, the
 * hook runs in the usual order.
 */
function addFirstRouteHook(fastify: FastifyInstance, hook: RouteHook): void {
  const host = fastify as unknown as Record<symbol, { onRoute?: RouteHook[] } | undefined>
  const key = allSymbols(fastify).find((symbol) => symbol.description === HOOKS)
  const hooks = key === undefined ? undefined : host[key]
  fastify.addHook('onRoute', hook as never)
  const list = hooks?.onRoute
  if (!Array.isArray(list)) return
  const index = list.lastIndexOf(hook)
  if (index > 0) list.unshift(...list.splice(index, 1))
}

function allSymbols(object: object): symbol[] {
  const symbols: symbol[] = []
  for (let at: object | null = object; at !== null; at = Object.getPrototypeOf(at)) {
    symbols.push(...Object.getOwnPropertySymbols(at))
  }
  return symbols
}

/**
 * Fastify plugin that traces and measures the WebSocket routes of `@fastify/websocket`, in either order of registration.
 *
 * ```ts
 * await fastify.register(otelWs)
 * ```
 *
 * @throws OptionError for wrong options, when the plugin is loaded
 */
export const otelWs = fp(plugin, { fastify: '5.x', name: '@otel-ws/fastify' })

export default otelWs
