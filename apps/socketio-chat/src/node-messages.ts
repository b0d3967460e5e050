import type { AdapterConfig } from './adapters.ts'

/** Options of a node's process, in variable `CHAT_NODE`. */
export interface NodeConfig {
  readonly node: string
  readonly adapter: AdapterConfig
  readonly port: number
  readonly metricsInterval: number
  readonly endpoints: readonly string[]
}

/** A warning for the log, with the trace in which it came about. */
export interface Warning {
  readonly msg: string
  readonly trace_id?: string | undefined
  readonly span_id?: string | undefined
}

/** Messages of a node's process, besides its telemetry. */
export type NodeReport =
  | { readonly node: string; readonly url: string }
  | { readonly node: string; readonly failure: string }
  | { readonly node: string; readonly warning: Warning }

/** Message that stops a node's process. */
export const STOP = 'stop'
