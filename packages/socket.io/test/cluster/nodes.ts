import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as delay } from 'node:timers/promises'
import { AlwaysOffSampler, AlwaysOnSampler, ParentBasedSampler } from '@opentelemetry/sdk-trace'
import { traceSocketServer } from '@otel-ws/socket.io'
import { connect, Telemetry, type TestClient } from '@otel-ws/testkit'
import { Server, type ServerOptions } from 'socket.io'

/** One server of a cluster, with an exporter of its own. */
export interface Node {
  readonly io: Server
  readonly url: string
  readonly sdk: Telemetry
  /** Disconnects all clients and waits until they are gone. */
  empty(): Promise<void>
  close(): Promise<void>
}

export interface NodeOptions extends Partial<ServerOptions> {
  /** False for a node without telemetry. Default true. */
  readonly traced?: boolean
}

export type Client = TestClient

/** Samplers of nodes: every new trace, or none. */
export const ALL = new ParentBasedSampler({ root: new AlwaysOnSampler() })
export const NONE = new ParentBasedSampler({ root: new AlwaysOffSampler() })

/** Starts a server of a cluster. Clients name the rooms that they want to be in: `?rooms=a,b`. */
export async function startNode({ traced = true, ...options }: NodeOptions): Promise<Node> {
  const sdk = new Telemetry()
  sdk.sampler = ALL
  const http = createServer()
  const io = new Server(http, { transports: ['websocket'], serveClient: false, pingInterval: 60_000, ...options })
  if (traced) {
    const { tracerProvider, meterProvider } = sdk
    traceSocketServer(io, { tracerProvider, meterProvider })
  }
  io.on('connection', (socket) =>
    socket.join(
      String(socket.handshake.query.rooms ?? '')
        .split(',')
        .filter(Boolean),
    ),
  )
  // Workers of a cluster would share a port.
  await new Promise<void>((resolve) => http.listen({ port: 0, host: '127.0.0.1', exclusive: true }, resolve))
  return {
    io,
    sdk,
    url: `ws://127.0.0.1:${(http.address() as AddressInfo).port}`,
    async empty() {
      io.local.disconnectSockets(true)
      while (io.of('/').sockets.size > 0) await delay(5)
    },
    close: async () => {
      await io.close()
    },
  }
}

/** A client that returns the text or bytes of each packet on the wire. */
export function join(node: Pick<Node, 'url'>, ...rooms: string[]): Promise<Client> {
  return joinWith('40', node, rooms)
}

/** @param hello the CONNECT packet, encoded by the node's parser */
export async function joinWith(
  hello: string | Buffer,
  node: Pick<Node, 'url'>,
  rooms: readonly string[],
): Promise<Client> {
  const query = new URLSearchParams({ EIO: '4', transport: 'websocket', rooms: rooms.join() })
  const client = await connect(`${node.url}/socket.io/?${query}`)
  await client.next()
  client.send(hello)
  await client.next()
  return client
}

/**
 * Resolves when what each node publishes reaches every other one.
 *
 * @param plain removes from a message what differs each time
 */
export async function connected(
  nodes: readonly Node[],
  hello: string | Buffer = '40',
  plain = (data: string) => data,
): Promise<void> {
  const probe = (from: number) => `probe ${from}`
  const probes = nodes.map((_, from) => probe(from))
  const listeners = await Promise.all(nodes.map((node) => joinWith(hello, node, probes)))
  const reached = new Set<string>()
  const missing = nodes.length * nodes.length
  listeners.forEach((listener, to) => {
    listener.socket.on('message', (data) => reached.add(`${plain(String(data))} at ${to}`))
  })
  for (let attempt = 0; reached.size < missing; attempt++) {
    if (attempt > 1500) throw new Error(`nodes do not reach each other: ${[...reached].join(', ')}`)
    for (const [from, node] of nodes.entries()) node.io.to(probe(from)).emit(probe(from))
    await delay(20)
  }
  await Promise.all(listeners.map((listener) => listener.close()))
  await quiet(nodes)
}

/** Waits until all probes have arrived, and discards them. */
async function quiet(nodes: readonly Node[]): Promise<void> {
  const total = () => nodes.reduce((sum, { sdk }) => sum + sdk.counts().ended, 0)
  for (let before = -1; before !== total(); ) {
    before = total()
    await delay(100)
  }
  for (const { sdk } of nodes) sdk.forget()
}

/** Acknowledges an event as a client does. */
export function answer(client: Client, event: string, value: unknown): void {
  const id = /^42(\d+)\[/.exec(event)?.[1]
  if (id === undefined) throw new Error(`no acknowledgement is asked for: ${event}`)
  client.send(`43${id}${JSON.stringify([value])}`)
}
