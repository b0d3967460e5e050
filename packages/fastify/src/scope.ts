import { type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { startHandshake } from '@otel-ws/core/node'
import { closeDestroyed, type TracedServer, traceServer, watchUpgrades } from '@otel-ws/ws/adapter'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { WebSocketServer } from 'ws'
import { addFirstRouteHook, upgradeSocket } from './fastify-internals.ts'
import { endRequestSpan, hasOtelPlugin, ownAddHook, requestContext } from './fastify-otel.ts'
import { addTraceIds } from './log-correlation.ts'
import { traceHandler } from './route-handler.ts'

/** Handshakes whose route was set. */
const routed = new WeakSet<Handshake>()

/** Servers that belong to a {@link TracedScope}. */
const knownServers = new WeakSet<WebSocketServer>()

/** Traces the WebSocket routes of a Fastify scope. Fastify cannot remove hooks: without telemetry they do nothing. */
export class TracedScope {
  readonly #fastify: FastifyInstance
  /** The `ws` servers of the scope and of the scopes inside it. */
  readonly #servers = new Map<WebSocketServer, TracedServer | undefined>()
  #telemetry: Telemetry | undefined
  #unwatchUpgrades: (() => void) | undefined

  constructor(fastify: FastifyInstance) {
    this.#fastify = fastify
    this.#addHooks()
  }

  /** Traces with this telemetry from now on; `undefined` restores the original methods of the host. */
  use(telemetry: Telemetry | undefined): void {
    this.#unwatchUpgrades?.()
    this.#unwatchUpgrades = undefined
    for (const [wss, traced] of this.#servers) {
      traced?.restore()
      this.#servers.set(wss, undefined)
    }
    const enabled = telemetry?.options.enabled ? telemetry : undefined
    this.#telemetry = enabled
    if (enabled === undefined) return
    this.#unwatchUpgrades = watchUpgrades(this.#fastify.server, (request) => enabled.unclaimedHandshake(request))
    for (const wss of this.#servers.keys()) this.#traceServer(wss)
    this.#findServer(this.#fastify)
  }

  #addHooks(): void {
    const scope = this
    const fastify = this.#fastify
    // That plugin records each hook that it sees on each request. Ours are no work of the application.
    const addHook = (ownAddHook(fastify) ?? fastify.addHook).bind(fastify) as FastifyInstance['addHook']
    addFirstRouteHook(fastify, function otelWsRoute(this: FastifyInstance, route) {
      scope.#findServer(this)
      traceHandler(route)
    })
    addHook('onReady', async function otelWsReady(this: FastifyInstance) {
      scope.#findServer(this)
    })
    addHook('onRequest', function otelWsRequest(request, _reply, done) {
      const handshake = scope.#tracedHandshake(request)
      // With `@fastify/otel` the handshake span is created at the outcome, as a child of the request span of that plugin.
      // A request without a route may be one that other code accepts: its span is created at the outcome too.
      if (handshake === undefined || handshake.hasOuterContext || request.is404) {
        done()
        return
      }
      handshake.start()
      handshake.run(done)
    })
    addHook('onSend', function otelWsAnswer(request, _reply, _payload, done) {
      // An upgrade that is answered through Fastify is being rejected; the span of `@fastify/otel` is still open.
      scope.#tracedHandshake(request, true)?.start()
      done()
    })
    addHook('onClose', function otelWsClose(_instance, done) {
      if (scope.#telemetry !== undefined) {
        for (const wss of scope.#servers.keys()) closeDestroyed(wss)
        scope.#telemetry.end()
      }
      done()
    })
  }

  /**
   * Returns the handshake of an upgrade request with its route, unless option `ignore` excludes it.
   *
   * @param isPending only a handshake without an outcome
   */
  #tracedHandshake(request: FastifyRequest, isPending = false): Handshake | undefined {
    const handshake = this.#handshakeOf(request)
    if (handshake === undefined || (isPending && handshake.outcome !== undefined)) return undefined
    if (!routed.has(handshake)) this.#setRoute(handshake, request)
    return handshake.discarded ? undefined : handshake
  }

  /** Returns the handshake of an upgrade request. Starts it if the request came from another HTTP server than Fastify's. */
  #handshakeOf(request: FastifyRequest): Handshake | undefined {
    const telemetry = this.#telemetry
    if (telemetry === undefined) return undefined
    const known = handshakeOf(request.raw)
    if (known?.unclaimed === false || request.raw.headers.upgrade === undefined) return known
    const socket = upgradeSocket(request.raw)
    return socket && startHandshake(request.raw, socket, () => telemetry.unroutedHandshake(request.raw))
  }

  #setRoute(handshake: Handshake, request: FastifyRequest): void {
    routed.add(handshake)
    // The server of a scope that was loaded before this plugin is found here, before it upgrades its first request.
    this.#findServer(request.server)
    this.#telemetry?.routed(handshake, request.is404 ? undefined : request.routeOptions.url)
    if (handshake.discarded) return
    addTraceIds(request.log)
    // Fastify has this list only if it trusts proxies.
    if (request.ips !== undefined) {
      const { ip, protocol, host } = request
      handshake.setOriginal({ client: { address: ip }, encrypted: protocol === 'https', host })
    }
    if (hasOtelPlugin(request)) handshake.startUnder(() => requestContext(request))
  }

  /** Traces the server that `@fastify/websocket` stores on the scope where it was registered, which may be an inner one. */
  #findServer(instance: FastifyInstance): void {
    const wss = (instance as { readonly websocketServer?: WebSocketServer }).websocketServer
    if (wss === undefined || knownServers.has(wss)) return
    knownServers.add(wss)
    this.#servers.set(wss, undefined)
    this.#traceServer(wss)
  }

  #traceServer(wss: WebSocketServer): void {
    const telemetry = this.#telemetry
    if (telemetry === undefined) return
    this.#servers.set(
      wss,
      traceServer(wss, telemetry, { traceConnectionHandler: false, onUpgrade: endOtelSpanOnAnswer }),
    )
  }
}

/** Ends the span of `@fastify/otel` when the request is upgraded: that plugin ends it only for answers through Fastify. */
function endOtelSpanOnAnswer(handshake: Handshake): void {
  handshake.onAnswer(endRequestSpan)
}
