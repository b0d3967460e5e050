import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry, tracedConnection } from '@otel-ws/core/adapter'
import { withArgument, wrapMethod } from '@otel-ws/core/node'
import type { Server } from 'socket.io'
import { driver } from './driver.ts'
import { traceEngine } from './engine.ts'
import type { EngineServer, Server as HostServer, Namespace } from './host.ts'
import { type TracedNamespace, tracedNamespace, traceNamespace } from './namespace.ts'
import { refuseNamespace } from './namespace-handshakes.ts'
import { engineSocketBeingRead } from './transport.ts'
import { SCOPE } from './version.ts'

/** Options of {@link traceSocketServer}. */
export type SocketServerOptions = TelemetryOptions

/** Handle of a traced server. */
export interface TracedServer {
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
  /** Restores the original methods of the server. Sockets that are connected stay traced until they disconnect. */
  restore(): void
}

const TRACED = Symbol.for('otel-ws.socket.io.server')

/**
 * Traces a Socket.IO server and all of its namespaces, including those created later: the handshake of every connection
 * and of every namespace, each event, acknowledgement, broadcast and disconnect.
 *
 * @throws OptionError for wrong options, TypeError if `io` is not a server of Socket.IO
 */
export function traceSocketServer(io: Server, options: SocketServerOptions = {}): TracedServer {
  if (typeof io?.of !== 'function') throw new TypeError('otel-ws: traceSocketServer() expects a Server of socket.io')
  return traceServer(io, createTelemetry(options, SCOPE, driver))
}

/** Options for an adapter that is built on Socket.IO. */
export interface TraceServerOptions {
  /** Record a span for the listeners of `connection`. Default `true`; `false` if the adapter records its own. */
  readonly traceConnectionHandler?: boolean
}

/** Traces a server with the telemetry of another adapter. */
export function traceServer(io: Server, telemetry: Telemetry, options: TraceServerOptions = {}): TracedServer {
  const host = io as unknown as TracedHost
  const known = host[TRACED]
  // An explicit call of the application replaces the tracing of an instrumentation.
  if (known?.isAmbient) known.restore()
  else if (known !== undefined) {
    telemetry.warnTracedAlready('this Socket.IO server', known.telemetry)
    return known
  }
  return install(host, telemetry, false, options)
}

/** Traces a server for an instrumentation. Returns `undefined` if it is traced already. */
export function traceAmbientServer(io: HostServer, telemetry: Telemetry): TracedServer | undefined {
  return (io as TracedHost)[TRACED] === undefined ? install(io, telemetry, true, {}) : undefined
}

/**
 * Traces what a middleware of a namespace stands for, if that is not traced yet: the whole server for its default
 * namespace, else the namespace. Returns the handle of the namespace.
 */
export function traceByMiddleware(namespace: Namespace, telemetry: Telemetry): TracedNamespace | undefined {
  const io = namespace.server as TracedHost
  const server = io[TRACED]
  if (namespace === io.sockets && server?.isAmbient !== false) {
    server?.restore()
    tracedNamespace(namespace)?.restore()
    install(io, telemetry, false, {})
  } else if (tracedNamespace(namespace) === undefined) traceNamespace(namespace, telemetry)
  return tracedNamespace(namespace)
}

/** `isAmbient` if an instrumentation traces the server, not the application. */
type TracedHost = HostServer & {
  [TRACED]?: TracedServer & { readonly isAmbient: boolean; readonly telemetry: Telemetry }
}

function install(
  host: TracedHost,
  telemetry: Telemetry,
  isAmbient: boolean,
  options: TraceServerOptions,
): TracedServer {
  const restore = telemetry.options.enabled ? wrapServer(host, telemetry, { ...options, isAmbient }) : []
  const traced = {
    isAmbient,
    telemetry,
    shutdown: () => telemetry.shutdown(),
    restore() {
      for (const step of restore.splice(0)) step()
      if (host[TRACED] === traced) delete host[TRACED]
    },
  }
  Object.defineProperty(host, TRACED, { value: traced, configurable: true, enumerable: false })
  return traced
}

function wrapServer(
  io: HostServer,
  telemetry: Telemetry,
  { traceConnectionHandler, isAmbient }: TraceServerOptions & { readonly isAmbient: boolean },
): (() => void)[] {
  const { bind, _checkNamespace, close } = io
  const restore: (() => void)[] = []

  function traceCreated(namespace: Namespace): void {
    traceNamespace(namespace, telemetry, { traceConnectionHandler, isAmbient })
  }

  function trace(engine: EngineServer): void {
    const route = (engine.opts?.path ?? io.path()).replace(/\/$/, '')
    restore.push(traceEngine(engine, telemetry, route))
  }

  function tracedBind(this: HostServer, engine: EngineServer): unknown {
    trace(engine)
    return bind.apply(this, arguments as never)
  }

  /** Socket.IO calls it for namespaces that do not exist yet; without a result the client is rejected. */
  function tracedCheckNamespace(this: HostServer, _name: string, _auth: unknown, done: (found: unknown) => unknown) {
    const conn = engineSocketBeingRead()
    const observed = function (this: unknown, found: unknown): unknown {
      if (!found) refuseNamespace(telemetry, conn)
      return done.apply(this, arguments as never)
    }
    return _checkNamespace.apply(this, withArgument(arguments, 2, observed))
  }

  function tracedClose(this: HostServer): unknown {
    for (const namespace of io._nsps.values()) {
      for (const socket of namespace.sockets.values()) tracedConnection(socket)?.drain()
    }
    return close.apply(this, arguments as never)
  }

  traceNamespace(io.sockets, telemetry, { onNamespace: traceCreated, traceConnectionHandler, isAmbient })
  for (const namespace of io._nsps.values()) traceCreated(namespace)
  if (io.engine !== undefined) trace(io.engine)
  restore.push(
    wrapMethod(io, 'bind', tracedBind),
    wrapMethod(io, '_checkNamespace', tracedCheckNamespace),
    wrapMethod(io, 'close', tracedClose),
    () => {
      for (const namespace of io._nsps.values()) {
        const traced = tracedNamespace(namespace)
        if (traced?.telemetry === telemetry) traced.restore()
      }
    },
  )
  return restore
}
