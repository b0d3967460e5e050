/** The protocol of clients: their handshake, and the frame around a message. `http` is plain requests over one connection. */
export type Protocol = 'ws' | 'socket.io' | 'http'

/** One server under one load. */
export interface Case {
  id: string
  /** The server's file in `servers`. Default: the id. */
  server?: string
  /** The clients' protocol. Default `ws`. */
  protocol?: Protocol
  /** Connections that get each message. Without, each message is sent back to its sender. */
  recipients?: number
  label: string
  /** True for a server that runs this repository's packages, and may differ between two checkouts. */
  runsPackages?: boolean
  /** The untraced server that it is compared with. */
  baseline: string
  /** Spans that each echoed message must export. */
  spansPerMessage: number
  /** Upper bound to aim for of CPU per message, as a ratio to the baseline. */
  targetRatio?: number
  /** The direct SDK calls whose added cost is the limit for this case's. */
  limit?: string
  /** Upper bound to aim for of the added cost, as a ratio to the limit's. */
  targetOfLimit?: number
  /** Upper bound to aim for of heap per idle connection over the baseline, in bytes. */
  targetHeap?: number
}

const ws = { baseline: 'ws-bare' }
const tracedWs = { ...ws, runsPackages: true }
const fastify = { baseline: 'fastify-bare' }
const tracedFastify = { ...fastify, runsPackages: true }

const wsCases: Case[] = [
  { ...ws, id: 'ws-bare', label: 'bare ws', spansPerMessage: 0 },
  { ...tracedWs, id: 'ws-no-sdk', label: 'otel-ws, no SDK', spansPerMessage: 0, targetRatio: 1.05, targetHeap: 500 },
  {
    ...tracedWs,
    id: 'ws-unsampled',
    label: 'otel-ws, unsampled',
    spansPerMessage: 0,
    targetRatio: 1.2,
    targetHeap: 500,
  },
  {
    ...tracedWs,
    id: 'ws-unsampled-metrics',
    label: 'otel-ws, unsampled + metrics',
    spansPerMessage: 0,
    targetRatio: 1.4,
    targetHeap: 500,
  },
  {
    ...tracedWs,
    id: 'ws-unsampled-connection',
    label: 'otel-ws, unsampled as the handshake',
    spansPerMessage: 0,
    targetRatio: 1.2,
    targetHeap: 500,
  },
  {
    ...tracedWs,
    id: 'ws-unsampled-connection-metrics',
    label: 'otel-ws, unsampled as the handshake + metrics',
    spansPerMessage: 0,
    targetRatio: 1.4,
    targetHeap: 500,
  },
  {
    ...tracedWs,
    id: 'ws-sampled',
    label: 'otel-ws, sampled',
    spansPerMessage: 2,
    limit: 'ws-sdk-calls',
    targetOfLimit: 1.15,
    targetHeap: 500,
  },
  {
    ...tracedWs,
    id: 'ws-sampled-metrics',
    label: 'otel-ws, sampled + metrics',
    spansPerMessage: 2,
    limit: 'ws-sdk-calls-metrics',
    targetOfLimit: 1.25,
    targetHeap: 500,
  },
  { ...tracedWs, id: 'ws-keep', label: 'otel-ws, unsampled, with keep', spansPerMessage: 0 },
  { ...tracedWs, id: 'ws-keep-metrics', label: 'otel-ws, unsampled + metrics, with keep', spansPerMessage: 0 },
  { ...tracedWs, id: 'ws-over-budget', label: 'otel-ws, over the budget of the process', spansPerMessage: 0 },
  { ...tracedWs, id: 'ws-named', label: 'otel-ws, unsampled + metrics, with messageName', spansPerMessage: 0 },
  {
    ...tracedWs,
    id: 'ws-protocol',
    label: 'otel-ws, unsampled + metrics, with messageName and a protocol',
    spansPerMessage: 0,
  },
  { ...ws, id: 'ws-by-hand-unsampled', label: 'hand-written, unsampled', spansPerMessage: 0 },
  { ...ws, id: 'ws-by-hand-sampled', label: 'hand-written, sampled', spansPerMessage: 2, limit: 'ws-sdk-calls' },
  { ...ws, id: 'ws-sdk-calls-unsampled', label: 'bare SDK calls, unsampled', spansPerMessage: 0 },
  { ...ws, id: 'ws-sdk-calls', label: 'bare SDK calls', spansPerMessage: 2 },
  {
    ...ws,
    id: 'ws-sdk-calls-context',
    label: 'bare SDK calls, active context',
    spansPerMessage: 2,
    limit: 'ws-sdk-calls',
  },
  { ...ws, id: 'ws-sdk-calls-metrics', label: 'bare SDK calls + histogram', spansPerMessage: 2 },
]

const fastifyCases: Case[] = [
  { ...fastify, id: 'fastify-bare', label: 'bare @fastify/websocket', spansPerMessage: 0 },
  { ...tracedFastify, id: 'fastify-no-sdk', label: 'otel-ws, no SDK', spansPerMessage: 0, targetRatio: 1.05 },
  { ...tracedFastify, id: 'fastify-unsampled', label: 'otel-ws, unsampled', spansPerMessage: 0, targetRatio: 1.2 },
  {
    ...tracedFastify,
    id: 'fastify-unsampled-metrics',
    label: 'otel-ws, unsampled + metrics',
    spansPerMessage: 0,
    targetRatio: 1.4,
  },
  { ...tracedFastify, id: 'fastify-sampled', label: 'otel-ws, sampled', spansPerMessage: 2 },
  { ...tracedFastify, id: 'fastify-sampled-metrics', label: 'otel-ws, sampled + metrics', spansPerMessage: 2 },
]

const socketIo = { protocol: 'socket.io' as const, baseline: 'socketio-bare' }
const tracedSocketIo = { ...socketIo, runsPackages: true }

const socketIoCases: Case[] = [
  { ...socketIo, id: 'socketio-bare', label: 'bare Socket.IO', spansPerMessage: 0 },
  { ...tracedSocketIo, id: 'socketio-no-sdk', label: 'otel-ws, no SDK', spansPerMessage: 0, targetRatio: 1.05 },
  { ...tracedSocketIo, id: 'socketio-unsampled', label: 'otel-ws, unsampled', spansPerMessage: 0, targetRatio: 1.2 },
  { ...tracedSocketIo, id: 'socketio-sampled', label: 'otel-ws, sampled', spansPerMessage: 2 },
  { ...tracedSocketIo, id: 'socketio-sampled-metrics', label: 'otel-ws, sampled + metrics', spansPerMessage: 2 },
  { ...socketIo, id: 'socketio-peer-unsampled', label: 'instrumentation-socket.io, unsampled', spansPerMessage: 0 },
  { ...socketIo, id: 'socketio-peer-sampled', label: 'instrumentation-socket.io, sampled', spansPerMessage: 2 },
]

const http = { protocol: 'http' as const, baseline: 'http-bare', spansPerMessage: 0 }

/** Plain requests: what they pay for upgrades being seen. */
const httpCases: Case[] = [
  { ...http, id: 'http-bare', label: 'bare node:http' },
  { ...http, id: 'http-watched', label: 'otel-ws with zero code', runsPackages: true, targetRatio: 1.01 },
]

/** The same servers, which send each message to all of their clients. */
const broadcastCases: Case[] = socketIoCases.map(({ targetRatio: _, ...server }) => ({
  ...server,
  id: `${server.id}-broadcast`,
  server: server.id,
  baseline: `${server.baseline}-broadcast`,
  recipients: 1000,
}))

/** The cases of each host: they are shown in one table, and loaded in turn. */
export const hosts: Readonly<Record<string, Case[]>> = {
  ws: wsCases,
  Fastify: fastifyCases,
  'Socket.IO, event and reply': socketIoCases,
  'Socket.IO, broadcast to 1,000': broadcastCases,
  'plain HTTP request': httpCases,
}

export const allCases: Case[] = Object.values(hosts).flat()

const HEAP_REFERENCES = new Set(['ws-bare', 'ws-by-hand-sampled', 'socketio-bare', 'socketio-sampled'])

/** The cases whose heap per idle connection is shown. */
export const heapCases: Case[] = [...wsCases, ...socketIoCases].filter(
  ({ id, targetHeap }) => HEAP_REFERENCES.has(id) || targetHeap !== undefined,
)

/** The case of this id. Throws with the known ids when there is none. */
export function caseOf(id: string): Case {
  const found = allCases.find((candidate) => candidate.id === id)
  if (found) return found
  throw new TypeError(`no variant "${id}"; known: ${allCases.map((known) => known.id).join(', ')}`)
}
