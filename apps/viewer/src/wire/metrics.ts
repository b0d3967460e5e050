export type Unit = 'count' | 'perSecond' | 'seconds' | 'bytes' | 'bytesPerSecond' | 'plain'

export interface Panel {
  readonly id: string
  readonly title: string
  readonly hint: string
  readonly unit: Unit
  readonly shape: 'lines' | 'bars'
  readonly series: readonly { readonly label: string; readonly values: readonly (number | null)[] }[]
  /** Search that finds the traces which the panel is about; empty where there is none. */
  readonly query: string
  /** Spans in which values of it were recorded, where senders send them. */
  readonly exemplars: readonly PanelExemplar[]
}

/** A value that was recorded, and the span in which it was. */
export interface PanelExemplar {
  /** Epoch seconds. */
  readonly time: number
  readonly value: number
  readonly traceId: string
  readonly spanId: string
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
  /** Instances of the services, where those are known. */
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
