/* What the server tells the page. Imported by both; nothing here may need Node or a browser. */

import type { Attribute, SpanKind } from './model.ts'
import type { Operation } from './store/operation.ts'

export interface Status {
  /** Spans kept, spans taken since the start, spans dropped because the store was full. */
  readonly spans: number
  readonly received: number
  readonly dropped: number
  readonly traces: number
  readonly connections: number
  readonly connectionsDropped: number
  readonly series: number
  readonly seriesDropped: number
  readonly points: number
  /** Spans and points left out as invalid, requests answered with an error, and the last such error. */
  readonly invalid: number
  readonly refused: number
  readonly refusal: string
  /** Spans per second, over the last seconds. */
  readonly rate: number
  readonly maxSpans: number
  readonly maxBytes: number
  readonly endpoint: string
}

export interface SlowHandler {
  /** Name of its spans. */
  readonly name: string
  readonly ofClient: boolean
  /** Milliseconds. */
  readonly p95: number
  readonly count: number
}

export interface FailingHandler {
  readonly name: string
  readonly ofClient: boolean
  /** How often it failed, of how many runs. */
  readonly failed: number
  readonly count: number
  /** The most frequent errors first; not all of them. */
  readonly errors: Counted['what']
}

export interface Counted {
  readonly all: number
  /** The most frequent first; not all of them. */
  readonly what: readonly { readonly what: string; readonly count: number }[]
}

/** What a newcomer should look at first; of each the worst first, and nothing where there is nothing to see. */
export interface Highlights {
  readonly slowest: readonly SlowHandler[]
  readonly failing: readonly FailingHandler[]
  readonly rejected: Counted
  readonly dropped: Counted
}

export interface TraceRow {
  readonly id: string
  readonly name: string
  readonly kind: SpanKind
  readonly operation: Operation
  /** Epoch milliseconds, milliseconds. */
  readonly start: number
  readonly duration: number
  readonly spans: number
  readonly errors: number
  /** Of the first span in error its error type or status message; else how a handshake failed or why a close is unusual. */
  readonly error: string
  readonly services: readonly string[]
  /** Processes that its spans are of. */
  readonly nodes: number
  readonly route: string
  readonly connection: string
}

export interface TraceList {
  readonly rows: readonly TraceRow[]
  /** Traces that match, where the search looked. */
  readonly matching: number
  readonly total: number
  /** Whether the search stopped before it had seen every trace. */
  readonly cut: boolean
  readonly routes: readonly string[]
  readonly services: readonly string[]
}

export interface SpanRef {
  readonly traceId: string
  readonly spanId: string
  /** Name and service of the span; empty when it is not kept. */
  readonly name: string
  readonly service: string
  readonly kept: boolean
  readonly linkKind: string
}

export interface SpanDetail {
  readonly spanId: string
  readonly parentSpanId: string
  readonly name: string
  readonly kind: SpanKind
  readonly operation: Operation
  /** What its attributes say, in a few words. */
  readonly note: string
  readonly start: number
  readonly duration: number
  readonly error: boolean
  readonly statusMessage: string
  readonly service: string
  readonly instance: string
  /** Whether it is of the client's end of a connection. */
  readonly ofClient: boolean
  readonly scope: string
  readonly attributes: readonly Attribute[]
  readonly resource: readonly Attribute[]
  readonly events: readonly {
    readonly name: string
    readonly time: number
    readonly attributes: readonly Attribute[]
  }[]
  readonly links: readonly SpanRef[]
  /** Spans that link to this one: the newest, and how many there are. */
  readonly linkedFrom: readonly SpanRef[]
  readonly linkedFromCount: number
  readonly dropped: number
}

export interface TraceDetail {
  readonly id: string
  /** The spans in the order of the waterfall: depth first, siblings by start. */
  readonly spans: readonly SpanDetail[]
  readonly depths: readonly number[]
  /** Spans of the trace that are not shown. */
  readonly omitted: number
}

export interface ConnectionRow {
  readonly id: string
  /** Whether only the client's end tells of it. */
  readonly ofClient: boolean
  readonly service: string
  readonly instance: string
  readonly route: string
  readonly subprotocol: string
  readonly transport: string
  readonly peer: string
  readonly user: string
  readonly state: 'open' | 'closed' | 'rejected' | 'abandoned' | 'failed'
  readonly dropped: boolean
  readonly opened: number
  readonly openedSeen: boolean
  readonly closed: number
  readonly status: number
  readonly received: number
  readonly sent: number
  readonly bytesReceived: number
  readonly bytesSent: number
  /** Seconds and bytes; null when not told. */
  readonly rtt: number | null
  readonly buffered: number | null
  /** From the metrics of the connection's route, while it is open: the median RTT, and the sum that is buffered. */
  readonly routeRtt: number | null
  readonly routeBuffered: number | null
  readonly errors: number
  readonly closeCode: number | null
  readonly closeCategory: string
  readonly closeInitiator: string
  readonly closeReason: string
  readonly errorType: string
}

export interface ConnectionList {
  readonly rows: readonly ConnectionRow[]
  readonly matching: number
  readonly total: number
  readonly open: number
  readonly routes: readonly string[]
  /** Whether the connections are those of more than one process. */
  readonly severalNodes: boolean
}

/** One thing that happened on a connection. A tuple would save bytes and cost every reader. */
export interface Mark {
  readonly number: number
  readonly traceId: string
  readonly spanId: string
  readonly operation: Operation
  readonly name: string
  readonly start: number
  readonly duration: number
  readonly error: string
  readonly size: number | null
  readonly sequence: number | null
  /** What its attributes say, in a few words. */
  readonly note: string
  /** Told by the other end of the connection, under the same id. */
  readonly peer: boolean
}

export interface ConnectionDetail {
  readonly row: ConnectionRow
  /** Marks since the last update; the first update carries all that are kept. */
  readonly marks: readonly Mark[]
  /** Marks below this number are no longer kept. */
  readonly firstMark: number
  /** Spans of the connection that were dropped, or are not shown. */
  readonly omitted: number
  /** True when `marks` replaces what the page has. */
  readonly reset: boolean
  /** Ids of the connection that this one replaces, and of the one that replaced it; empty where there is none. */
  readonly previous: string
  readonly next: string
}

export type Unit = 'count' | 'perSecond' | 'seconds' | 'bytes' | 'bytesPerSecond' | 'plain'

export interface Panel {
  readonly id: string
  readonly title: string
  readonly hint: string
  readonly unit: Unit
  readonly shape: 'lines' | 'bars'
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]
}

export interface HandlerRow {
  /** Name of the message; empty for those that have none. */
  readonly name: string
  readonly rate: number
  readonly count: number
  readonly failed: number
  /** Seconds. */
  readonly p50: number | null
  readonly p95: number | null
  readonly p99: number | null
}

export interface MetricsBoard {
  /** Epoch seconds, one per value. */
  readonly times: readonly number[]
  readonly panels: readonly Panel[]
  readonly handlers: readonly HandlerRow[]
  readonly services: readonly string[]
  /** Instances of the services, where those are told. */
  readonly nodes: readonly string[]
  readonly routes: readonly string[]
  readonly instruments: readonly {
    readonly name: string
    readonly kind: string
    readonly unit: string
    readonly description: string
    readonly series: number
  }[]
}

/** One update; what is not there has not changed. */
export interface Update {
  readonly now: number
  readonly status: Status
  readonly highlights: Highlights
  readonly traces?: TraceList
  readonly trace?: TraceDetail | null
  readonly connections?: ConnectionList
  readonly connection?: ConnectionDetail | null
  readonly metrics?: MetricsBoard
}
