import {
  type Connection,
  errorType,
  type Handshake,
  storeConnection,
  type Telemetry,
  tracedConnection,
} from '@otel-ws/core/adapter'
import type { EngineSocket, Namespace, Server, Socket } from './host.ts'
import { traceClient } from './io-client.ts'
import { traceSocket } from './io-socket.ts'
import { enablePropagation } from './packet-propagation.ts'
import { type Transport, traceTransport, transportOf } from './transport.ts'

/** Attributes of a namespace. The children of a dynamic namespace share its pattern and have names of their own. */
interface NamespaceFacts {
  readonly route: string
  readonly namespace: string
  readonly namespaceName: string | undefined
}

/** Stands for the request of a transport without one, such as `webtransport`. */
const NO_REQUEST = { headers: {} }

/** Starts and ends the handshakes of the sockets that join one namespace. */
export class NamespaceHandshakes {
  readonly facts: NamespaceFacts
  readonly #telemetry: Telemetry

  constructor(namespace: Namespace, telemetry: Telemetry) {
    this.facts = factsOf(namespace)
    this.#telemetry = telemetry
  }

  /** Returns the handshake of a socket that joins, started at the first call; `undefined` if option `ignore` excludes it. */
  of(socket: Socket): Handshake | undefined {
    const transport = this.#transportOf(socket)
    if (transport.isJoining(socket)) return transport.joinOf(socket)
    const handshake = this.#telemetry.handshake(socket.request ?? NO_REQUEST, {
      route: this.facts.route,
      transport: socket.conn.transport.name,
      join: {
        namespace: this.facts.namespaceName ?? this.facts.namespace,
        transportSpan: transport.handshake,
        recovered: socket.recovered === true,
      },
    })
    transport.addJoin(socket, handshake)
    return handshake
  }

  /** A middleware rejected the socket. */
  refuse(socket: Socket, error: unknown): void {
    const transport = this.#transportOf(socket)
    transport.joinOf(socket)?.refuse(undefined, errorType(error), messageOf(error))
    transport.removeJoin(socket)
  }

  /** All middleware accepted the socket. Returns its connection; `undefined` if option `ignore` excludes it. */
  accept(socket: Socket): Connection | undefined {
    const handshake = this.of(socket)
    this.#transportOf(socket).removeJoin(socket)
    if (handshake === undefined) return undefined
    const known = tracedConnection(socket)
    if (known !== undefined) return known
    const connection = handshake.accept(socket, { ...this.facts, sessionId: socket.id })
    storeConnection(socket, connection)
    // The CONNECT packet of protocol revision 3 has no payload in which propagation could be negotiated.
    const hello = socket.conn.protocol === 3 ? undefined : handshake.helloMessage(connection)
    traceSocket(socket)
    if (connection.terms !== undefined || hello !== undefined) enablePropagation(socket, hello)
    return connection
  }

  /** Traces a socket that was connected before the namespace was traced. */
  adopt(socket: Socket): void {
    if (tracedConnection(socket) !== undefined) return
    this.#transportOf(socket)
    const facts = { ...this.facts, sessionId: socket.id }
    const age = Math.max(0, Date.now() - socket.handshake.issued)
    const connection = this.#telemetry.adopt(socket, socket.request ?? NO_REQUEST, facts, age)
    if (connection === undefined) return
    storeConnection(socket, connection)
    traceSocket(socket)
  }

  #transportOf(socket: Socket): Transport {
    traceClient(socket.client)
    const transport = traceTransport(socket.conn, this.#telemetry, this.facts)
    transport.client = socket.client
    return transport
  }
}

/** Records a handshake for a namespace that does not exist. Its name is chosen by the client and not recorded. */
export function refuseNamespace(telemetry: Telemetry, conn: EngineSocket | undefined): void {
  const transportSpan = conn && transportOf(conn)?.handshake
  telemetry
    .handshake(conn?.request ?? NO_REQUEST, {
      join: { namespace: undefined, transportSpan },
      ...(conn !== undefined && { transport: conn.transport.name }),
    })
    ?.refuse(undefined, 'invalid_namespace')
}

/** Returns the message of an error of the application's, whose getter may throw. */
export function messageOf(error: unknown): string | undefined {
  try {
    const { message } = error as { readonly message?: unknown }
    return typeof message === 'string' ? message : undefined
  } catch {
    return undefined
  }
}

function factsOf({ name, server }: Namespace): NamespaceFacts {
  const pattern = patternOf(name, server)
  if (pattern === undefined) return { route: name, namespace: name, namespaceName: undefined }
  return { route: pattern, namespace: pattern, namespaceName: name }
}

/** Returns the regular expression that a dynamic namespace was created from, or `*` if it was a function. */
function patternOf(name: string, server: Server): string | undefined {
  const isChild = ({ children }: { readonly children: Set<Namespace> }) =>
    [...children].some((child) => child.name === name)
  for (const [expression, parent] of server.parentNamespacesFromRegExp ?? []) {
    if (isChild(parent)) return String(expression)
  }
  return [...(server.parentNsps?.values() ?? [])].some(isChild) ? '*' : undefined
}
