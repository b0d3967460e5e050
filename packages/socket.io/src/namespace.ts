import type { HandlerSpan, Handshake, Telemetry } from '@otel-ws/core/adapter'
import { dispatchAll, hiddenProperty, withArgument, wrapMethod } from '@otel-ws/core/node'
import { traceBroadcasts } from './broadcast.ts'
import type { Namespace, Socket } from './host.ts'
import { NamespaceHandshakes } from './namespace-handshakes.ts'
import { ownTelemetry } from './own-middleware.ts'
import { transportOf } from './transport.ts'

/** More listeners than a socket has. */
const ALL_LISTENERS = 2 ** 30

const TRACED = Symbol.for('otel-ws.socket.io.namespace')

/** Handle of a traced namespace. */
export interface TracedNamespace {
  /** That of the server, or of the namespace's own middleware. */
  readonly telemetry: Telemetry
  /** Returns true if the handshake of a socket has been started and has no outcome yet. */
  isJoining(socket: Socket): boolean
  /** Returns the handshake of a socket whose middleware runs; `undefined` if option `ignore` excludes it. */
  handshakeOf(socket: Socket): Handshake | undefined
  /** Records that a middleware has rejected a socket. */
  refuse(socket: Socket, error: unknown): void
  /** Restores the original methods of the namespace and its adapter. */
  restore(): void
}

/** What {@link traceNamespace} traces besides the sockets. */
export interface NamespaceOptions {
  /** Called with each namespace that the server creates later. */
  readonly onNamespace?: ((namespace: Namespace) => void) | undefined
  /** Record a span for the listeners of `connection`. Default `true`. */
  readonly traceConnectionHandler?: boolean | undefined
  /** True if an instrumentation traces the server: that the namespace has options of its own is then no surprise. */
  readonly isAmbient?: boolean | undefined
}

/**
 * Traces the sockets and broadcasts of a namespace, once: later calls return the same handle. Sockets that are connected
 * already are adopted.
 *
 * @param server telemetry of the server: a middleware of the namespace that `traceSocket()` has created takes precedence
 * @returns `undefined` if the options of that middleware disable tracing
 */
export function traceNamespace(
  namespace: Namespace,
  server: Telemetry,
  options: NamespaceOptions = {},
): TracedNamespace | undefined {
  const known = tracedNamespace(namespace)
  if (known !== undefined) return known
  const telemetry = ownTelemetry(namespace) ?? server
  if (telemetry !== server && options.isAmbient !== true) {
    telemetry.warnOwnOptions(`namespace ${namespace.name}`, server)
  }
  if (!telemetry.options.enabled) return undefined
  const handshakes = new NamespaceHandshakes(namespace, telemetry)
  /** Called when the namespace has got a middleware with telemetry of its own. */
  function handOver(): void {
    traced.restore()
    traceNamespace(namespace, server, options)
  }
  const restore = [
    traceMiddleware(namespace, telemetry, handshakes, handOver),
    ...traceConnect(namespace, handshakes, options),
    traceAdapter(namespace, handshakes, telemetry),
  ]
  const traced: TracedNamespace = {
    telemetry,
    isJoining: (socket) => transportOf(socket.conn)?.isJoining(socket) === true,
    handshakeOf: (socket) => handshakes.of(socket),
    refuse: (socket, error) => handshakes.refuse(socket, error),
    restore() {
      for (const step of restore) step()
      delete (namespace as { [TRACED]?: TracedNamespace })[TRACED]
    },
  }
  Object.defineProperty(namespace, TRACED, hiddenProperty(traced))
  for (const socket of namespace.sockets.values()) handshakes.adopt(socket)
  return traced
}

/** Returns the handle of a namespace if it is traced. */
export function tracedNamespace(namespace: Namespace): TracedNamespace | undefined {
  return (namespace as { [TRACED]?: TracedNamespace })[TRACED]
}

/** Runs the middleware of a namespace in the handshake's context and records a rejection. */
function traceMiddleware(
  namespace: Namespace,
  telemetry: Telemetry,
  handshakes: NamespaceHandshakes,
  handOver: () => void,
): () => void {
  const { run } = namespace
  let isHandedOver = false
  return wrapMethod(namespace, 'run', function (this: Namespace, socket: Socket, done: Done): unknown {
    const args = arguments
    if (isHandedOver) return run.apply(this, args as never)
    if ((ownTelemetry(this) ?? telemetry) !== telemetry) {
      isHandedOver = true
      handOver()
      return this.run(...(args as unknown as Parameters<Namespace['run']>))
    }
    const handshake = handshakes.of(socket)
    if (handshake === undefined) return run.apply(this, args as never)
    const observed: Done = function (this: unknown, error): unknown {
      if (error) handshakes.refuse(socket, error)
      return done.apply(this, arguments as never)
    }
    return handshake.run(() => run.apply(this, withArgument(args, 1, observed)))
  })
}

type Done = (error?: Error | null) => unknown

/** Records the end of the handshake, and a span for the listeners of `connection`. */
function traceConnect(
  namespace: Namespace,
  handshakes: NamespaceHandshakes,
  { onNamespace, traceConnectionHandler = true }: NamespaceOptions,
): (() => void)[] {
  const { _doConnect, emitReserved } = namespace
  /** Set while `_doConnect` runs, which emits `connection` in the same synchronous run. */
  let connectOfCurrentRun: { readonly span: HandlerSpan; readonly socket: Socket } | undefined

  function tracedDoConnect(this: Namespace, socket: Socket): unknown {
    const connection = handshakes.accept(socket)
    // An adapter that traces the connection handler traces the handler of the end too.
    if (connection !== undefined && !traceConnectionHandler) connection.hostCloseListeners = ALL_LISTENERS
    const span = traceConnectionHandler ? connection?.startOpen() : undefined
    if (span === undefined) return _doConnect.apply(this, arguments as never)
    return span.run(doConnect, this, socket, arguments)
  }

  function doConnect(span: HandlerSpan, self: Namespace, socket: Socket, args: IArguments): unknown {
    const outer = connectOfCurrentRun
    connectOfCurrentRun = { span, socket }
    try {
      return _doConnect.apply(self, args as never)
    } finally {
      connectOfCurrentRun = outer
    }
  }

  function tracedEmitReserved(this: Namespace, type: string, first?: unknown): boolean {
    if (type === 'new_namespace') onNamespace?.(first as Namespace)
    else if (type === 'connect' || type === 'connection') {
      const connect = connectOfCurrentRun
      if (connect !== undefined && connect.socket === first) {
        return dispatchAll(connect.span, this, type, Array.prototype.slice.call(arguments, 1))
      }
    }
    return emitReserved.apply(this, arguments as never)
  }

  return [
    wrapMethod(namespace, '_doConnect', tracedDoConnect),
    wrapMethod(namespace, 'emitReserved', tracedEmitReserved),
  ]
}

/** Traces the broadcasts of the namespace's adapter, and of one that the application sets later. */
function traceAdapter(namespace: Namespace, { facts }: NamespaceHandshakes, telemetry: Telemetry): () => void {
  const { _initAdapter } = namespace
  let restoreBroadcasts = traceBroadcasts(namespace.adapter, namespace, telemetry, facts)
  const restoreInit = wrapMethod(namespace, '_initAdapter', function (this: Namespace): unknown {
    const result = _initAdapter.apply(this, arguments as never)
    restoreBroadcasts = traceBroadcasts(this.adapter, this, telemetry, facts)
    return result
  })
  return () => {
    restoreInit()
    restoreBroadcasts()
  }
}
