import type { Attribute, SpanKind } from '../model.ts'
import type { Operation } from '../store/operation.ts'
import type { LogRow } from './logs.ts'

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
  /** Traces that the search has looked at so far; it goes on while they are fewer than `total`. */
  readonly searched: number
  /** What of the search was not understood. */
  readonly problems: readonly string[]
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

export interface SpanLinkDetail extends SpanRef {
  readonly attributes: readonly Attribute[]
}

export interface SpanDetail {
  /** Its id, or `id#2` where several spans of the trace share one. */
  readonly key: string
  readonly spanId: string
  readonly parentSpanId: string
  /** Key of the parent that it hangs from; empty where that is not here. */
  readonly parent: string
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
  readonly links: readonly SpanLinkDetail[]
  /** Spans that link to this one: the newest, and how many there are. */
  readonly linkedFrom: readonly SpanRef[]
  readonly linkedFromCount: number
  readonly dropped: number
}

export interface TraceDetail {
  readonly id: string
  /** Of the whole trace: epoch milliseconds, milliseconds, spans, spans in error. */
  readonly start: number
  readonly duration: number
  readonly total: number
  readonly failed: number
  /** The spans that are drawn in the order of the waterfall: depth first, siblings by start. */
  readonly spans: readonly SpanDetail[]
  readonly depths: readonly number[]
  /** Spans of the trace that are not drawn. */
  readonly omitted: number
  /** What is looked for within the trace: how many spans match, and which of those that are drawn; null for nothing. */
  readonly found: { readonly count: number; readonly keys: readonly string[] } | null
  readonly findProblems: readonly string[]
  /** What is doubtful: clocks that disagree, parents that are missing, ids that are not unique. */
  readonly doubts: readonly string[]
  /** Where the trace has a broadcast that crosses nodes, what it came to on each of them, the latest first. */
  readonly broadcast: readonly BroadcastRow[]
  /** Log records of the trace: the newest, and how many there are. */
  readonly logs: readonly LogRow[]
  readonly logCount: number
}

/** What a broadcast came to on one node. */
export interface BroadcastRow {
  /** Key of the span. */
  readonly key: string
  readonly operation: Operation
  readonly name: string
  readonly service: string
  readonly instance: string
  /** Milliseconds from the broadcast to its arrival; null on the node that it comes from. */
  readonly lag: number | null
  readonly recipients: number | null
  readonly skipped: number
  readonly duration: number
  readonly error: boolean
}

/** Two traces of one name, side by side: the spans at one place of the tree together, by their names. */
export interface TraceComparison {
  readonly a: TraceRow
  readonly b: TraceRow
  readonly rows: readonly ComparisonRow[]
  /** Rows that are not sent. */
  readonly omitted: number
  /** Other traces of the name, to compare with: the newest, the fastest and the slowest. */
  readonly others: readonly TraceRow[]
}

export interface ComparisonRow {
  readonly name: string
  readonly service: string
  readonly depth: number
  /** Spans at this place, and the sum of their durations in milliseconds. */
  readonly countA: number
  readonly countB: number
  readonly durationA: number
  readonly durationB: number
  readonly errorsA: number
  readonly errorsB: number
}
