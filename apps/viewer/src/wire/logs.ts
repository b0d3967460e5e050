import type { Attribute, Level } from '../model.ts'

export interface LogRow {
  /** Its number in order of arrival. */
  readonly id: string
  /** Epoch milliseconds. */
  readonly time: number
  readonly level: Level
  readonly severityText: string
  readonly body: string
  readonly eventName: string
  readonly attributes: readonly Attribute[]
  readonly traceId: string
  readonly spanId: string
  readonly service: string
  readonly instance: string
  readonly resource: readonly Attribute[]
  readonly scope: string
  readonly connection: string
  /** Attributes that were left out. */
  readonly dropped: number
}

export interface LogList {
  readonly rows: readonly LogRow[]
  readonly matching: number
  readonly total: number
  /** What of the search was not understood. */
  readonly problems: readonly string[]
  readonly services: readonly string[]
}
