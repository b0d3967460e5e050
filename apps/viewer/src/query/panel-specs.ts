import * as names from '../names.ts'
import type { Unit } from '../wire.ts'

/** How the series of an instrument become lines: one per value of the attribute `by`, or one per percentile. */
type Drawing =
  | { readonly draw: 'levels' | 'rates' | 'increases'; readonly by: string }
  | { readonly draw: 'percentiles' }

export type PanelSpec = Drawing & {
  readonly id: string
  readonly title: string
  readonly hint: string
  readonly unit: Unit
  readonly instrument: string
  /** Search that finds the traces which it is about. */
  readonly query?: string
  /** Shown also while nothing was received, so that a person learns what there is to see. */
  readonly always?: true
}

const server = 'websocket.server'
const client = 'websocket.client'

export const panelSpecs: readonly PanelSpec[] = [
  {
    id: 'active',
    title: 'Active connections',
    hint: 'by route',
    unit: 'count',
    instrument: `${server}.connection.active`,
    query: 'operation=handshake',
    draw: 'levels',
    by: names.ROUTE,
    always: true,
  },
  {
    id: 'messages',
    title: 'Messages per second',
    hint: 'by direction',
    unit: 'perSecond',
    instrument: `${server}.messages`,
    query: 'websocket.message.sequence=*',
    draw: 'rates',
    by: names.MESSAGE_DIRECTION,
    always: true,
  },
  {
    id: 'latency',
    title: 'Handler latency',
    hint: 'until every handler has settled',
    unit: 'seconds',
    instrument: `${server}.message.process.duration`,
    query: 'operation=process',
    draw: 'percentiles',
    always: true,
  },
  {
    id: 'closes',
    title: 'Closes',
    hint: 'by category',
    unit: 'count',
    instrument: `${server}.connection.duration`,
    query: 'operation=close',
    draw: 'increases',
    by: names.CLOSE_CATEGORY,
    always: true,
  },
  {
    id: 'broadcast',
    title: 'Broadcast size',
    hint: 'recipients',
    unit: 'count',
    instrument: `${server}.broadcast.recipients`,
    query: 'operation=broadcast',
    draw: 'percentiles',
    always: true,
  },
  {
    id: 'rtt',
    title: 'Ping round trip',
    hint: 'both event loops included',
    unit: 'seconds',
    instrument: `${server}.ping.rtt`,
    query: 'websocket.ping.rtt=*',
    draw: 'percentiles',
    always: true,
  },
  {
    id: 'handshakes',
    title: 'Handshakes',
    hint: 'by outcome',
    unit: 'count',
    instrument: `${server}.handshake.duration`,
    query: 'operation=handshake',
    draw: 'increases',
    by: names.HANDSHAKE_OUTCOME,
  },
  {
    id: 'io',
    title: 'Payload',
    hint: 'by direction',
    unit: 'bytesPerSecond',
    instrument: `${server}.io`,
    query: 'websocket.message.size=*',
    draw: 'rates',
    by: names.MESSAGE_DIRECTION,
  },
  {
    id: 'working',
    title: 'Handlers at work',
    hint: 'by route',
    unit: 'count',
    instrument: `${server}.message.process.active`,
    query: 'operation=process',
    draw: 'levels',
    by: names.ROUTE,
  },
  {
    id: 'buffered',
    title: 'Waiting to be sent',
    hint: 'by route, sum over connections',
    unit: 'bytes',
    instrument: `${server}.send.buffered`,
    query: 'websocket.send.buffered=*',
    draw: 'levels',
    by: names.ROUTE,
  },
  {
    id: 'slow',
    title: 'Slow consumers',
    hint: 'connections, by route',
    unit: 'count',
    instrument: `${server}.connection.slow`,
    draw: 'levels',
    by: names.ROUTE,
  },
  {
    id: 'undelivered',
    title: 'Undelivered messages',
    hint: 'per second, by reason',
    unit: 'perSecond',
    instrument: `${server}.send.undelivered`,
    query: 'websocket.send.undelivered.reason=*',
    draw: 'rates',
    by: names.UNDELIVERED_REASON,
  },
  {
    id: 'missed',
    title: 'Missed pings',
    hint: 'per second, by route',
    unit: 'perSecond',
    instrument: `${server}.ping.missed`,
    draw: 'rates',
    by: names.ROUTE,
  },
  {
    id: 'first-item',
    title: 'First item of a stream',
    hint: 'from the dispatch of the message',
    unit: 'seconds',
    instrument: `${server}.stream.first_item.duration`,
    query: 'websocket.stream.items=*',
    draw: 'percentiles',
  },
  {
    id: 'streams',
    title: 'Streams',
    hint: 'by outcome',
    unit: 'count',
    instrument: `${server}.stream.duration`,
    query: 'websocket.stream.items=*',
    draw: 'increases',
    by: names.STREAM_OUTCOME,
  },
  {
    id: 'lag',
    title: 'Lag between nodes',
    hint: 'from the publication of a broadcast to its arrival',
    unit: 'seconds',
    instrument: `${server}.deliver.lag`,
    query: 'operation=deliver',
    draw: 'percentiles',
  },
  {
    id: 'client-connects',
    title: 'Connects of clients',
    hint: 'by outcome, as clients record it',
    unit: 'count',
    instrument: `${client}.connect.duration`,
    query: 'operation=connect',
    draw: 'increases',
    by: names.HANDSHAKE_OUTCOME,
  },
  {
    id: 'client-connect-time',
    title: 'Time to connect',
    hint: 'of clients, until their connection is open',
    unit: 'seconds',
    instrument: `${client}.connect.duration`,
    query: 'operation=connect',
    draw: 'percentiles',
  },
  {
    id: 'client-reconnects',
    title: 'Reconnects of clients',
    hint: 'by route',
    unit: 'count',
    instrument: `${client}.reconnects`,
    query: 'websocket.reconnect.attempt=*',
    draw: 'increases',
    by: names.ROUTE,
  },
  {
    id: 'client-messages',
    title: 'Messages per second of clients',
    hint: 'by direction, as clients record it',
    unit: 'perSecond',
    instrument: `${client}.messages`,
    draw: 'rates',
    by: names.MESSAGE_DIRECTION,
  },
  {
    id: 'client-latency',
    title: 'Handler latency of clients',
    hint: 'until every handler has settled',
    unit: 'seconds',
    instrument: `${client}.message.process.duration`,
    draw: 'percentiles',
  },
]
