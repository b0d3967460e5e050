/* What the server sends to the page. Imported by both; nothing here may need Node or a browser. */

import type { ConnectionDetail, ConnectionList, SessionDetail, SessionList } from './wire/connections.ts'
import type { Highlights } from './wire/highlights.ts'
import type { LogList } from './wire/logs.ts'
import type { MetricsBoard } from './wire/metrics.ts'
import type { TraceComparison, TraceDetail, TraceList } from './wire/traces.ts'

export type {
  Account,
  ConnectionDetail,
  ConnectionList,
  ConnectionRow,
  Gap,
  Mark,
  OperationRow,
  SessionConnection,
  SessionDetail,
  SessionList,
  SessionRow,
} from './wire/connections.ts'
export type {
  Counted,
  FailingOperation,
  Highlights,
  SlowConsumer,
  SlowOperation,
  SlowRoute,
} from './wire/highlights.ts'
export type { LogList, LogRow } from './wire/logs.ts'
export type { HandlerRow, MetricsBoard, Panel, PanelExemplar, Unit } from './wire/metrics.ts'
export type {
  BroadcastRow,
  ComparisonRow,
  SpanDetail,
  SpanRef,
  TraceComparison,
  TraceDetail,
  TraceList,
  TraceRow,
} from './wire/traces.ts'

export interface Status {
  /** Spans kept, spans taken since the start, spans dropped because the store was full. */
  readonly spans: number
  readonly received: number
  readonly dropped: number
  /** Spans that share their id with another one of their trace. */
  readonly doubled: number
  readonly traces: number
  readonly tracesDropped: number
  readonly logs: number
  readonly logsDropped: number
  readonly connections: number
  readonly connectionsDropped: number
  readonly series: number
  readonly seriesDropped: number
  readonly points: number
  /** Spans and points left out as invalid, requests answered with an error, and the last such error. */
  readonly invalid: number
  readonly refused: number
  readonly refusal: string
  /** The reasons of all refused requests. */
  readonly refusals: readonly { readonly what: string; readonly count: number }[]
  /** Names for the menus of filters. */
  readonly services: readonly string[]
  readonly routes: readonly string[]
  /** Spans per second, over the last seconds. */
  readonly rate: number
  readonly maxSpans: number
  readonly maxBytes: number
  readonly endpoint: string
  /** Address of OTLP over gRPC; empty where there is none, for the reason beside it. */
  readonly grpcEndpoint: string
  readonly grpcProblem: string
  /** File in which what is received is kept; empty for none. */
  readonly storeFile: string
  readonly version: string
}

/** One update; what is not there has not changed. */
export interface Update {
  readonly now: number
  readonly status: Status
  readonly highlights: Highlights
  readonly traces?: TraceList
  readonly trace?: TraceDetail | null
  /** The open trace beside another one of its name; null where the other one is not kept. */
  readonly comparison?: TraceComparison | null
  readonly connections?: ConnectionList
  readonly connection?: ConnectionDetail | null
  readonly sessions?: SessionList
  readonly session?: SessionDetail | null
  readonly logs?: LogList
  readonly metrics?: MetricsBoard
}
