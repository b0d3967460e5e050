import type { Attributes, Histogram } from '@opentelemetry/api'

/** The instruments of operations, of a server or a client. */
export interface OperationInstruments {
  /** False while nothing would be recorded. */
  readonly recording: boolean
  readonly operationDuration: Histogram
  readonly operationItems: Histogram
  readonly streamFirstItem: Histogram
  readonly streamDuration: Histogram
  readonly pingRtt?: Histogram
}

/** The numbers of connections with the same attributes. */
export interface OperationSeries {
  readonly attributes: Attributes
  /** Open operations by protocol. */
  readonly operations: Map<string, number>
}

/** Adds to the open operations of a protocol. */
export function countOpen({ operations }: OperationSeries, protocol: string, change: 1 | -1): void {
  operations.set(protocol, (operations.get(protocol) ?? 0) + change)
}
