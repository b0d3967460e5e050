import {
  type Connection,
  dispatchAll,
  errorType,
  type HandlerSpan,
  type Handshake,
  hiddenProperty,
  storeConnection,
  type Telemetry,
  tracedConnection,
  wrapMethod,
} from '@otel-ws/core/adapter'
import { traceBroadcasts } from './broadcast.ts'
import { enablePropagation } from './carriers.ts'
import { traceClient } from './client.ts'
import type { EngineSocket, Namespace, Server, Socket } from './host.ts'
import { traceSocket } from './socket.ts'
import { type Transport, traceTransport, transportOf } from './transport.ts'

const TRACED = Symbol.for('otel-ws.socket.io.namespace')

/** What is known of a namespace: its route, which is the pattern it was made from when there can be many of a kind. */
interface Facts {
  readonly route: string
  readonly namespace: string
  readonly namespaceName: string | undefined
}

/** A namespace that is traced. */
export interface TracedNamespace {
  /** The handshake of a socket whose middleware runs; `undefined` when option `ignore` leaves it alone. */
  joining(socket: Socket): Handshake | undefined
  restore(): void
}

/**
 * Traces the sockets of a namespace, once.
 *
 * @param onNamespace told of namespaces that the server makes later
 * @param opensElsewhere another adapter tells the connection handler
 */
export function traceNamespace(
  namespace: Namespace,
  telemetry: Telemetry,
  onNamespace?: (namespace: Namespace) => void,
  opensElsewhere = false,
): TracedNamespace {
  const known = tracedNamespace(namespace)
  if (known !== undefined) return known
  const traced = install(namespace, telemetry, onNamespace, opensElsewhere)
  Object.defineProperty(namespace, TRACED, hiddenProperty(traced))
  return traced
}

/** What stands behind a namespace, when it is traced already. */
export function tracedNamespace(namespace: Namespace): TracedNamespace | undefined {
  return (namespace as { [TRACED]?: TracedNamespace })[TRACED]
}

function install(
  namespace: Namespace,
  telemetry: Telemetry,
  onNamespace: ((namespace: Namespace) => void) | undefined,
  opensElsewhere: boolean,
): TracedNamespace {
  const { run, emitReserved, _doConnect, _initAdapter } = namespace
  const facts = factsOf(namespace)
  let opening: { readonly open: HandlerSpan; readonly socket: Socket } | undefined
  let unbroadcast = traceBroadcasts(namespace.adapter, namespace, telemetry, facts)

  function joining(socket: Socket): Handshake | undefined {
    const transport = transportFor(socket, telemetry, facts)
    if (transport.isJoining(socket)) return transport.joiningBy(socket)
    const handshake = begin(socket, transport, telemetry, facts)
    transport.join(socket, handshake)
    return handshake
  }

  function tracedRun(this: Namespace, socket: Socket, done: (error?: Error | null) => void): void {
    const handshake = joining(socket)
    if (handshake === undefined) {
      run.call(this, socket, done)
      return
    }
    handshake.run(() =>
      run.call(this, socket, (error) => {
        if (error) refuse(socket, errorType(error))
        done(error)
      }),
    )
  }

  function refuse(socket: Socket, type: string): void {
    const transport = transportFor(socket, telemetry, facts)
    transport.joiningBy(socket)?.refuse(undefined, type)
    transport.joined(socket)
  }

  function tracedDoConnect(this: Namespace, socket: Socket, done: (socket: Socket) => void): void {
    const transport = transportFor(socket, telemetry, facts)
    const handshake = joining(socket)
    transport.joined(socket)
    const connection = handshake === undefined ? undefined : accept(handshake, socket, facts)
    const open = opensElsewhere ? undefined : connection?.startOpen()
    if (open === undefined) _doConnect.call(this, socket, done)
    else open.run(doConnect, this, socket, done)
  }

  function doConnect(open: HandlerSpan, self: Namespace, socket: Socket, done: (socket: Socket) => void): void {
    const outer = opening
    opening = { open, socket }
    try {
      _doConnect.call(self, socket, done)
    } finally {
      opening = outer
    }
  }

  function tracedEmitReserved(this: Namespace, type: string, ...args: unknown[]): boolean {
    if (type === 'new_namespace') onNamespace?.(args[0] as Namespace)
    else if (opening !== undefined && opening.socket === args[0] && (type === 'connect' || type === 'connection')) {
      return dispatchAll(opening.open, this, type, args)
    }
    return emitReserved.call(this, type, ...args)
  }

  function tracedInitAdapter(this: Namespace): void {
    _initAdapter.call(this)
    unbroadcast = traceBroadcasts(this.adapter, this, telemetry, facts)
  }

  const undo = [
    wrapMethod(namespace, 'run', tracedRun),
    wrapMethod(namespace, '_doConnect', tracedDoConnect),
    wrapMethod(namespace, 'emitReserved', tracedEmitReserved),
    wrapMethod(namespace, '_initAdapter', tracedInitAdapter),
  ]
  return {
    joining,
    restore() {
      for (const step of undo) step()
      unbroadcast()
      delete (namespace as { [TRACED]?: TracedNamespace })[TRACED]
    },
  }
}

function transportFor(socket: Socket, telemetry: Telemetry, facts: Facts): Transport {
  traceClient(socket.client)
  const transport = traceTransport(socket.conn, telemetry, facts)
  transport.client = socket.client
  return transport
}

/** What stands for the request of a transport that has none. */
const NO_REQUEST = { headers: {} }

function begin(socket: Socket, transport: Transport, telemetry: Telemetry, facts: Facts): Handshake | undefined {
  return telemetry.handshake(socket.request ?? NO_REQUEST, {
    route: facts.route,
    transport: socket.conn.transport.name,
    join: {
      namespace: facts.namespaceName ?? facts.namespace,
      transportSpan: transport.handshake,
      recovered: socket.recovered === true,
    },
  })
}

/** A client asked for a namespace that there is none of. Its name is the client's own and told nowhere. */
export function refuseNamespace(telemetry: Telemetry, conn: EngineSocket | undefined): void {
  const over = conn && transportOf(conn)?.handshake
  telemetry
    .handshake(conn?.request ?? NO_REQUEST, {
      join: { namespace: undefined, transportSpan: over },
      ...(conn !== undefined && { transport: conn.transport.name }),
    })
    ?.refuse(undefined, 'invalid_namespace')
}

function accept(handshake: Handshake, socket: Socket, facts: Facts): Connection {
  const known = tracedConnection(socket)
  if (known !== undefined) return known
  const connection = handshake.accept(socket, { ...facts, sessionId: socket.id })
  storeConnection(socket, connection)
  // The first revisions of the protocol have no place to agree in.
  const hello = socket.conn.protocol === 3 ? undefined : handshake.helloMessage(connection)
  traceSocket(socket)
  if (connection.terms !== undefined) enablePropagation(socket, hello)
  return connection
}

function factsOf({ name, server }: Namespace): Facts {
  const pattern = patternOf(name, server)
  if (pattern === undefined) return { route: name, namespace: name, namespaceName: undefined }
  return { route: pattern, namespace: pattern, namespaceName: name }
}

/** What a dynamic namespace was made from: its expression, or `*` for a function. Its name is the client's choice. */
function patternOf(name: string, server: Server): string | undefined {
  const isChild = ({ children }: { readonly children: Set<Namespace> }) =>
    [...children].some((child) => child.name === name)
  for (const [expression, parent] of server.parentNamespacesFromRegExp ?? []) {
    if (isChild(parent)) return String(expression)
  }
  return [...(server.parentNsps?.values() ?? [])].some(isChild) ? '*' : undefined
}
