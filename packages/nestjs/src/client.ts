import {
  type Connection,
  type ConnectionFacts,
  claim,
  type HostDriver,
  recordOf,
  type Telemetry,
} from '@otel-ws/core/adapter'

/** The members that are read of a gateway's client: a socket of Socket.IO, of `ws`, or of a custom adapter. */
interface Client {
  readonly bufferedAmount?: unknown
  readonly id?: unknown
  readonly nsp?: { readonly name?: unknown }
}

/** Drives clients whose connection nobody has traced: of them the interceptor sees messages alone. */
export const clientDriver: HostDriver<Client> = {
  text: () => '',
  bufferedAmount: ({ bufferedAmount }) => (typeof bufferedAmount === 'number' ? bufferedAmount : 0),
}

/** The record of a client; made now if its connection is not traced, so that its messages have a connection in common. */
export function connectionFor(client: object, path: string | undefined, telemetry: Telemetry): Connection {
  const known = recordOf(client)
  if (known !== undefined) return known
  const connection = telemetry.connection(client, factsOf(client, path, telemetry))
  claim(client, connection)
  return connection
}

function factsOf({ nsp, id }: Client, path: string | undefined, { options }: Telemetry): ConnectionFacts {
  return {
    route: path ?? (typeof options.route === 'string' ? options.route : undefined),
    namespace: typeof nsp?.name === 'string' ? nsp.name : undefined,
    sessionId: typeof id === 'string' ? id : undefined,
  }
}
