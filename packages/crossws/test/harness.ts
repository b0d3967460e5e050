import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectionOf, connectionSampler, traceHooks } from '@otel-ws/crossws'
import { type Connection, type Harness, type Host, type HostOptions, type HostSocket, kindOf } from '@otel-ws/testkit'
import type { Hooks, Peer } from 'crossws'
import crossws from 'crossws/adapters/node'

const ROUTE = '/chat/:room'

/** What a host of hooks keeps for each of its connections. */
interface Handlers {
  message?: (data: string | Buffer) => unknown
  readonly close: ((code: number) => void)[]
  pong?: (data: string) => void
}

/** A server of crossws that listens. */
export interface Served {
  readonly port: number
  readonly peers: Map<string, Set<Peer>>
  /** Stops listening; connections have been terminated. */
  close(): Promise<void>
}

/** Starts a server of crossws on a free port. */
export type Serve = (hooks: Partial<Hooks>, maxMessageSize: number | undefined) => Promise<Served>

async function serveOnNode(hooks: Partial<Hooks>, maxMessageSize: number | undefined): Promise<Served> {
  const ws = crossws({ hooks, serverOptions: { ...(maxMessageSize !== undefined && { maxPayload: maxMessageSize }) } })
  const http = createServer((_request, response) => response.end('plain'))
  http.on('upgrade', (request, socket, head) => void ws.handleUpgrade(request, socket, head))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return {
    port: (http.address() as AddressInfo).port,
    peers: ws.peers,
    async close() {
      http.closeAllConnections()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

/** Starts a host whose server `serve` starts. */
export async function startHost(
  serve: Serve,
  { telemetry, connection, authorize, maxMessageSize }: HostOptions,
): Promise<Host> {
  const open = new Map<string, Handlers>()
  const handlersOf = ({ id }: Peer): Handlers => {
    const handlers = open.get(id) ?? { close: [] }
    open.set(id, handlers)
    return handlers
  }
  const socketOf = (peer: Peer): HostSocket => ({
    raw: peer,
    send: (data) => peer.send(data),
    close: (code, reason) => peer.close(code, reason),
    terminate: () => peer.terminate(),
    onMessage(handler) {
      handlersOf(peer).message = handler
      // One hook stands for the handlers of all peers.
      kindOf(handler, message)
    },
    onClose(listener) {
      handlersOf(peer).close.push(listener)
      hooks.close = close
    },
    ping: (data) => peer.ping(data),
    onPong(listener) {
      handlersOf(peer).pong = listener
    },
  })
  const message: NonNullable<Partial<Hooks>['message']> = (peer, { rawData }) => {
    const data = typeof rawData === 'string' ? rawData : Buffer.from(rawData as Uint8Array)
    return open.get(peer.id)?.message?.(data) as void
  }
  const close: Hooks['close'] = (peer, { code = 1006 }) => {
    for (const listener of open.get(peer.id)?.close ?? []) listener(code)
  }
  const hooks: Partial<Hooks> = {
    async upgrade(request) {
      const { pathname, search } = new URL(request.url)
      const status = await authorize?.(pathname + search)
      if (status !== undefined) return new Response('no', { status })
      const [protocol] = request.headers.get('sec-websocket-protocol')?.split(/, */) ?? []
      return protocol === undefined ? undefined : { headers: { 'sec-websocket-protocol': protocol } }
    },
    open: kindOf(connection, (peer: Peer) => {
      handlersOf(peer)
      return connection(socketOf(peer)) as void
    }),
    message,
    pong: (peer, data) => open.get(peer.id)?.pong?.(Buffer.from(data).toString()),
  }
  const traced = telemetry && traceHooks(hooks, { route: ROUTE, ...telemetry })
  const server = await serve(traced ?? hooks, maxMessageSize)
  return {
    url: `ws://127.0.0.1:${server.port}/chat/lobby`,
    connectionOf: (raw) => connectionOf(raw) as Connection | undefined,
    async shutdown() {
      await traced?.shutdown()
    },
    async close() {
      for (const peers of server.peers.values()) for (const peer of peers) peer.terminate()
      await server.close()
      for (let turn = 0; turn < 10 && connected(server.peers); turn++) await new Promise(setImmediate)
    },
  }
}

const connected = (peers: Served['peers']): boolean => [...peers.values()].some((each) => each.size > 0)

/** A frame that breaks the protocol is a broken connection to hooks, which are not given its error. */
const UNSEEN = { code: 1006, category: 'abnormal', initiator: 'network' } as const

export const harness: Harness = {
  module: import.meta.url,
  name: 'crossws',
  route: ROUTE,
  capabilities: {
    connectionErrors: 'rejection',
    ws: false,
    seesAnswers: false,
    trustsProto: true,
    peerAddress: true,
    pings: true,
    broadcast: false,
    routeOption: true,
    shutdownAlone: true,
  },
  closes: Object.fromEntries(
    [
      'message too big',
      'fragments too big',
      'bad UTF-8',
      'unmasked frame',
      'unknown opcode',
      'reserved bit',
      'fragmented ping',
      'continuation of nothing',
      'close frame of one byte',
      'close frame with a reserved code',
      'close frame with a bad reason',
    ].map((name) => [name, UNSEEN]),
  ),
  connectionSampler,
  start: (options) => startHost(serveOnNode, options),
}

export { eventHarness } from './event-harness.ts'
