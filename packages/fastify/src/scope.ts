import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'
import { type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { startHandshake, type TracedServer, traceServer, watchUpgrades } from '@otel-ws/ws/adapter'
import type { FastifyInstance, FastifyRequest, RouteOptions } from 'fastify'
import type { WebSocketServer } from 'ws'
import { enclosingContext, endRequestSpan, hasOtelPlugin } from './fastify-otel.ts'
import { addTraceIds } from './log-correlation.ts'
import { traceHandler } from './route-handler.ts'

/** A Fastify scope whose WebSocket routes are traced. Its hooks stay for life; without telemetry they do nothing. */
export class TracedScope {
  readonly #fastify: FastifyInstance
  /** The `ws` servers of the scope and of scopes inside it. */
  readonly #servers = new Map<WebSocketServer, TracedServer | undefined>()
  #telemetry: Telemetry | undefined
  #unwatch: (() => void) | undefined

  constructor(fastify: FastifyInstance) {
    this.#fastify = fastify
    this.#addHooks()
  }

  /** What the scope is told to from now on; `undefined` gives the host its functions back. */
  use(telemetry: Telemetry | undefined): void {
    this.#unwatch?.()
    this.#unwatch = undefined
    for (const [wss, tracing] of this.#servers) {
      tracing?.restore()
      this.#servers.set(wss, undefined)
    }
    this.#telemetry = telemetry?.options.enabled ? telemetry : undefined
    const own = this.#telemetry
    if (own === undefined) return
    this.#unwatch = watchUpgrades(this.#fastify.server, (request) => own.unroutedHandshake(request))
    for (const wss of this.#servers.keys()) this.#traceServer(wss)
    this.#traceHost(this.#fastify)
  }

  #addHooks(): void {
    const scope = this
    const fastify = this.#fastify
    addFirstRouteHook(fastify, function otelWsRoute(this: FastifyInstance, route) {
      scope.#traceHost(this)
      traceHandler(route)
    })
    fastify.addHook('onReady', async function otelWsReady(this: FastifyInstance) {
      scope.#traceHost(this)
    })
    fastify.addHook('onRequest', function otelWsRequest(request, _reply, done) {
      const handshake = scope.#handshakeFor(request)
      if (handshake === undefined || !scope.#routed(handshake, request)) {
        done()
        return
      }
      // Where `@fastify/otel` is at work the request's span is theirs: ours is created at the outcome and stands under it.
      if (handshake.outerContext !== undefined) {
        done()
        return
      }
      handshake.start()
      handshake.run(done)
    })
    fastify.addHook('onSend', function otelWsAnswer(request, _reply, _payload, done) {
      // An upgrade that reaches this hook is being rejected, perhaps by a hook that ran before ours, and the span of
      // `@fastify/otel` is still open.
      const handshake = scope.#handshakeFor(request)
      if (handshake === undefined || handshake.outcome !== undefined || !scope.#routed(handshake, request)) {
        done()
        return
      }
      handshake.start()
      done()
    })
    fastify.addHook('onClose', async function otelWsClose() {
      if (scope.#telemetry === undefined) return
      await closeEvents([...scope.#servers.keys()])
      await scope.#telemetry?.shutdown()
    })
  }

  /** The handshake of an upgrade request, also of one that came by another http server than Fastify's own. */
  #handshakeFor(request: FastifyRequest): Handshake | undefined {
    const telemetry = this.#telemetry
    if (telemetry === undefined) return undefined
    const known = handshakeOf(request.raw)
    if (known !== undefined || request.raw.headers.upgrade === undefined) return known
    const socket = upgradeSocket(request.raw)
    return socket && startHandshake(request.raw, socket, () => telemetry.unroutedHandshake(request.raw))
  }

  /** Tells a handshake its route, once. False when the request is left alone. */
  #routed(handshake: Handshake, request: FastifyRequest): boolean {
    if (seen.has(handshake)) return !handshake.discarded
    seen.add(handshake)
    // A scope that was loaded before us is seen here first, still before its server takes the request.
    this.#traceHost(request.server)
    this.#telemetry?.routed(handshake, request.is404 ? undefined : request.routeOptions.url)
    if (handshake.discarded) return false
    addTraceIds(request.log)
    if (hasOtelPlugin(request)) handshake.outerContext = () => enclosingContext(request)
    return true
  }

  #traceHost(instance: FastifyInstance): void {
    // `@fastify/websocket` decorates the scope that it was registered in, which may be an inner one.
    const wss = (instance as { readonly websocketServer?: WebSocketServer }).websocketServer
    if (wss === undefined || known.has(wss)) return
    known.add(wss)
    this.#servers.set(wss, undefined)
    this.#traceServer(wss)
  }

  #traceServer(wss: WebSocketServer): void {
    const telemetry = this.#telemetry
    if (telemetry === undefined) return
    this.#servers.set(wss, traceServer(wss, telemetry, { opensElsewhere: true, onUpgrade: endEnclosingSpan }))
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

/** Servers that belong to a scope of ours. */
const known = new WeakSet<WebSocketServer>()

/** The request is upgraded and will get no answer through Fastify: nobody else ends the span of `@fastify/otel`. */
function endEnclosingSpan(handshake: Handshake): void {
  const { outerContext } = handshake
  if (outerContext === undefined) return
  handshake.onAnswer = (status) => endRequestSpan(outerContext(), status)
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
