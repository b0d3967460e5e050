import {
  type Connection,
  type ConnectionFacts,
  type HostDriver,
  storeConnection,
  type Telemetry,
  tracedConnection,
} from '@otel-ws/core/adapter'

/** The members that are read of a gateway's client: a socket of Socket.IO, of `ws`, or of a custom adapter. */
interface GatewayClient {
  readonly bufferedAmount?: unknown
  readonly id?: unknown
  readonly nsp?: { readonly name?: unknown }
}

/** Drives clients whose connection nobody has traced: of them the interceptor sees messages alone. */
export const clientDriver: HostDriver<GatewayClient> = {
  text: () => '',
  bufferedAmount: ({ bufferedAmount }) => (typeof bufferedAmount === 'number' ? bufferedAmount : 0),
}

/** Connections whose records were made here: of their handshakes and ends nothing is seen. */
const untraced = new WeakSet<Connection>()

/** Connections whose messages the module covers from their dispatch on. */
const covered = new WeakSet<Connection>()

/** The record of a client; made now if its connection is not traced, so that its messages have a connection in common. */
export function connectionFor(client: object, path: string | undefined, telemetry: Telemetry): Connection {
  const known = tracedConnection(client)
  if (known !== undefined) return known
  const connection = telemetry.connection(client, factsOf(client, path, telemetry))
  storeConnection(client, connection)
  untraced.add(connection)
  return connection
}

/** True when nobody but this package sees the connection's messages. */
export function isUntraced(connection: Connection): boolean {
  return untraced.has(connection)
}

/** The module covers the connection's messages: an interceptor of ours must not tell them again. */
export function cover(connection: Connection): void {
  covered.add(connection)
}

export function isCovered(connection: Connection): boolean {
  return covered.has(connection)
}

function factsOf({ nsp, id }: GatewayClient, path: string | undefined, { options }: Telemetry): ConnectionFacts {
  const namespace = typeof nsp?.name === 'string' ? nsp.name : undefined
  return {
    route: namespace ?? path ?? (typeof options.route === 'string' ? options.route : undefined),
    namespace,
    sessionId: typeof id === 'string' ? id : undefined,
  }
}
