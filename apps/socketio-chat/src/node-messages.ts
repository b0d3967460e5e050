import type { AdapterConfig } from './adapters.ts'

/** What a node's process is started with, in variable `CHAT_NODE`. */
export interface NodeConfig {
  readonly node: string
  readonly adapter: AdapterConfig
  readonly port: number
  readonly metricsInterval: number
  readonly endpoints: readonly string[]
}

/** What a node's process says, besides its telemetry. */
export type NodeReport =
  | { readonly node: string; readonly url: string }
  | { readonly node: string; readonly failure: string }
  | { readonly node: string; readonly warning: string }

/** What tells a node's process to stop. */
export const STOP = 'stop'
