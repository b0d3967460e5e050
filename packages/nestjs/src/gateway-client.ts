import {
  type Connection,
  type ConnectionFacts,
  type HostDriver,
  storeConnection,
  type Telemetry,
  tracedConnection,
} from '@otel-ws/core/adapter'

import { isServerError } from './exceptions.ts'

/** The members of a gateway's client that are read: a socket of Socket.IO, of `ws`, or of a custom adapter. */
interface GatewayClient {
  readonly bufferedAmount?: unknown
  readonly id?: unknown
  readonly nsp?: { readonly name?: unknown }
}

/** Driver of clients whose connection is not traced: only their messages are seen. */
export const clientDriver: HostDriver<GatewayClient> = {
  text: () => '',
  isError: isServerError,
  bufferedAmount: ({ bufferedAmount }) => (typeof bufferedAmount === 'number' ? bufferedAmount : 0),
}

/** Connections that were created here, whose handshake and close are not seen. */
const messageOnly = new WeakSet<Connection>()

/** Connections whose messages `WsTraceModule` traces from their dispatch on. */
const dispatchTraced = new WeakSet<Connection>()

/** Returns the connection of a client. If it is not traced, one is created, so that its messages have the same attributes. */
export function clientConnection(client: object, path: string | undefined, telemetry: Telemetry): Connection {
  const known = tracedConnection(client)
  if (known !== undefined) return known
  const connection = telemetry.connection(client, factsOf(client, path, telemetry))
  storeConnection(client, connection)
  messageOnly.add(connection)
  return connection
}

/** Returns true if only the messages of the connection are traced, by this package. */
export function isMessageOnly(connection: Connection): boolean {
  return messageOnly.has(connection)
}

/** Marks a connection whose messages the module traces, so that an interceptor does not record them again. */
export function markDispatchTraced(connection: Connection): void {
  dispatchTraced.add(connection)
}

export function isDispatchTraced(connection: Connection): boolean {
  return dispatchTraced.has(connection)
}

function factsOf({ nsp, id }: GatewayClient, path: string | undefined, { options }: Telemetry): ConnectionFacts {
  const namespace = typeof nsp?.name === 'string' ? nsp.name : undefined
  return {
    route: namespace ?? path ?? (typeof options.route === 'string' ? options.route : undefined),
    namespace,
    sessionId: typeof id === 'string' ? id : undefined,
  }
}
