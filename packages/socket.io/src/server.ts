import type { TelemetryOptions } from '@otel-ws/core'
import { createTelemetry, type Telemetry, warn, wrapMethod } from '@otel-ws/core/adapter'
import type { Server } from 'socket.io'
import { driver } from './driver.ts'
import { traceEngine } from './engine.ts'
import type { EngineServer, Server as HostServer, Namespace } from './host.ts'
import { refuseNamespace, tracedNamespace, traceNamespace } from './namespace.ts'
import { receivingTransport } from './transport.ts'
import { SCOPE } from './version.ts'

/** Options of {@link traceSocketServer}. */
export type SocketServerOptions = TelemetryOptions

/** What stands behind a traced server. */
export interface TracedServer {
  /** Ends every span that is still open and flushes the SDK. Call it when the process stops. */
  shutdown(): Promise<void>
  /** Gives the server its own methods back. Sockets that are connected stay traced until they disconnect. */
  restore(): void
}

const TRACED = Symbol.for('otel-ws.socket.io.server')

/**
 * Traces a Socket.IO server with all of its namespaces, also those that are made later: the handshake of every
 * connection and of every namespace, each event, acknowledgement, broadcast and disconnect.
 *
 * @throws OptionError for wrong options, TypeError for what is no server
 */
export function traceSocketServer(io: Server, options: SocketServerOptions = {}): TracedServer {
  if (typeof io?.of !== 'function') throw new TypeError('otel-ws: what is traced must be a Server of socket.io')
  return traceServer(io, createTelemetry(options, SCOPE, driver))
}

/** How an adapter on top of Socket.IO has a server traced. */
export interface TraceServerOptions {
  /** Another adapter tells the connection handler: not the listeners of `connection`. */
  readonly opensElsewhere?: boolean
}

/** Traces a server for an adapter that brings its own telemetry. */
export function traceServer(io: Server, telemetry: Telemetry, seams: TraceServerOptions = {}): TracedServer {
  const host = io as unknown as TracedHost
  const known = host[TRACED]
  // What an application asks for by hand comes before what an instrumentation does for every server.
  if (known?.isAmbient) known.restore()
  else if (known !== undefined) {
    warn('this Socket.IO server is traced already: the second call has no effect')
    return known
  }
  return mark(host, telemetry, false, seams)
}

/** Traces a server as one of its class, unless it is traced already. `undefined` when it is. */
export function traceAmbientServer(io: HostServer, telemetry: Telemetry): TracedServer | undefined {
  return (io as TracedHost)[TRACED] === undefined ? mark(io, telemetry, true, {}) : undefined
}

type TracedHost = HostServer & { [TRACED]?: TracedServer & { readonly isAmbient: boolean } }

function mark(host: TracedHost, telemetry: Telemetry, isAmbient: boolean, seams: TraceServerOptions): TracedServer {
  const undo = telemetry.options.enabled ? install(host, telemetry, seams) : []
  const traced = {
    isAmbient,
    shutdown: () => telemetry.shutdown(),
    restore() {
      for (const step of undo.splice(0)) step()
      if (host[TRACED] === traced) delete host[TRACED]
    },
  }
  Object.defineProperty(host, TRACED, { value: traced, configurable: true, enumerable: false })
  return traced
}

function install(io: HostServer, telemetry: Telemetry, { opensElsewhere }: TraceServerOptions): (() => void)[] {
  const { bind, _checkNamespace } = io
  const undo: (() => void)[] = []

  function traceNew(namespace: Namespace): void {
    traceNamespace(namespace, telemetry, undefined, opensElsewhere)
  }

  function trace(engine: EngineServer): void {
    const route = (engine.opts?.path ?? io.path()).replace(/\/$/, '')
    undo.push(traceEngine(engine, telemetry, route))
  }

  function tracedBind(this: HostServer, engine: EngineServer): unknown {
    trace(engine)
    return bind.call(this, engine)
  }

  /** Told of namespaces that clients ask for and the server does not have. */
  function tracedCheckNamespace(this: HostServer, name: string, auth: unknown, done: (found: unknown) => void): void {
    const conn = receivingTransport()
    _checkNamespace.call(this, name, auth, (found) => {
      if (!found) refuseNamespace(telemetry, conn)
      done(found)
    })
  }

  traceNamespace(io.sockets, telemetry, traceNew, opensElsewhere)
  for (const namespace of io._nsps.values()) traceNew(namespace)
  if (io.engine !== undefined) trace(io.engine)
  undo.push(wrapMethod(io, 'bind', tracedBind), wrapMethod(io, '_checkNamespace', tracedCheckNamespace), () => {
    for (const namespace of io._nsps.values()) tracedNamespace(namespace)?.restore()
  })
  return undo
}
