import type { HandlerSpan, Handshake, Telemetry } from '@otel-ws/core/adapter'
import { dispatchAll, hiddenProperty, wrapMethod } from '@otel-ws/core/node'
import { traceBroadcasts } from './broadcast.ts'
import type { Namespace, Socket } from './host.ts'
import { NamespaceHandshakes } from './namespace-handshakes.ts'

/** More listeners than a socket has. */
const ALL_LISTENERS = 2 ** 30

const TRACED = Symbol.for('otel-ws.socket.io.namespace')

/** Handle of a traced namespace. */
export interface TracedNamespace {
  /** Returns the handshake of a socket whose middleware runs; `undefined` if option `ignore` excludes it. */
  handshakeOf(socket: Socket): Handshake | undefined
  /** Restores the original methods of the namespace and its adapter. */
  restore(): void
}

/** What {@link traceNamespace} traces besides the sockets. */
export interface NamespaceOptions {
  /** Called with each namespace that the server creates later. */
  readonly onNamespace?: ((namespace: Namespace) => void) | undefined
  /** Record a span for the listeners of `connection`. Default `true`. */
  readonly traceConnectionHandler?: boolean | undefined
}

/** Traces the sockets and broadcasts of a namespace, once: later calls return the same handle. */
export function traceNamespace(
  namespace: Namespace,
  telemetry: Telemetry,
  options: NamespaceOptions = {},
): TracedNamespace {
  const known = tracedNamespace(namespace)
  if (known !== undefined) return known
  const handshakes = new NamespaceHandshakes(namespace, telemetry)
  const restore = [
    traceMiddleware(namespace, handshakes),
    ...traceConnect(namespace, handshakes, options),
    traceAdapter(namespace, handshakes, telemetry),
  ]
  const traced: TracedNamespace = {
    handshakeOf: (socket) => handshakes.of(socket),
    restore() {
      for (const step of restore) step()
      delete (namespace as { [TRACED]?: TracedNamespace })[TRACED]
    },
  }
  Object.defineProperty(namespace, TRACED, hiddenProperty(traced))
  return traced
}

/** Returns the handle of a namespace if it is traced. */
export function tracedNamespace(namespace: Namespace): TracedNamespace | undefined {
  return (namespace as { [TRACED]?: TracedNamespace })[TRACED]
}

/** Runs the middleware of a namespace in the handshake's context and records a rejection. */
function traceMiddleware(namespace: Namespace, handshakes: NamespaceHandshakes): () => void {
  const { run } = namespace
  return wrapMethod(namespace, 'run', function (this: Namespace, socket: Socket, done: (error?: Error | null) => void) {
    const handshake = handshakes.of(socket)
    if (handshake === undefined) {
      run.call(this, socket, done)
      return
    }
    handshake.run(() =>
      run.call(this, socket, (error) => {
        if (error) handshakes.refuse(socket, error)
        done(error)
      }),
    )
  })
}

/** Records the end of the handshake, and a span for the listeners of `connection`. */
function traceConnect(
  namespace: Namespace,
  handshakes: NamespaceHandshakes,
  { onNamespace, traceConnectionHandler = true }: NamespaceOptions,
): (() => void)[] {
  const { _doConnect, emitReserved } = namespace
  /** Set while `_doConnect` runs, which emits `connection` in the same synchronous run. */
  let connectOfCurrentRun: { readonly span: HandlerSpan; readonly socket: Socket } | undefined

  function tracedDoConnect(this: Namespace, socket: Socket, done: (socket: Socket) => void): void {
    const connection = handshakes.accept(socket)
    // An adapter that traces the connection handler traces the handler of the end too.
    if (connection !== undefined && !traceConnectionHandler) connection.hostCloseListeners = ALL_LISTENERS
    const span = traceConnectionHandler ? connection?.startOpen() : undefined
    if (span === undefined) _doConnect.call(this, socket, done)
    else span.run(doConnect, this, socket, done)
  }

  function doConnect(span: HandlerSpan, self: Namespace, socket: Socket, done: (socket: Socket) => void): void {
    const outer = connectOfCurrentRun
    connectOfCurrentRun = { span, socket }
    try {
      _doConnect.call(self, socket, done)
    } finally {
      connectOfCurrentRun = outer
    }
  }

  function tracedEmitReserved(this: Namespace, type: string, ...args: unknown[]): boolean {
    if (type === 'new_namespace') onNamespace?.(args[0] as Namespace)
    else if (type === 'connect' || type === 'connection') {
      const connect = connectOfCurrentRun
      if (connect !== undefined && connect.socket === args[0]) return dispatchAll(connect.span, this, type, args)
    }
    return emitReserved.call(this, type, ...args)
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
  const restoreInit = wrapMethod(namespace, '_initAdapter', function (this: Namespace): void {
    _initAdapter.call(this)
    restoreBroadcasts = traceBroadcasts(this.adapter, this, telemetry, facts)
  })
  return () => {
    restoreInit()
    restoreBroadcasts()
  }
}
