import type { AdapterConfig } from './adapters.ts'

/** Options of a node's process, in variable `CHAT_NODE`. */
export interface NodeConfig {
  readonly node: string
  readonly adapter: AdapterConfig
  readonly port: number
  readonly metricsInterval: number
  readonly endpoints: readonly string[]
}

/** Messages of a node's process, besides its telemetry. */
export type NodeReport =
  | { readonly node: string; readonly url: string }
  | { readonly node: string; readonly failure: string }
  | { readonly node: string; readonly warning: string }

/** Message that stops a node's process. */
export const STOP = 'stop'
