import { type LogRecord, textAttribute } from '../model.ts'
import { CONNECTION_ID } from '../names.ts'
import { logBytes } from './size.ts'

export interface LogLimits {
  readonly maxLogs: number
  readonly maxLogBytes: number
}

/** A log record without the number that the store gives it. */
export type NewLog = Omit<LogRecord, 'number'>

const none: readonly LogRecord[] = []

/** The log records, within limits, oldest first to go; found by the trace and the connection they belong to. */
export class LogStore {
  readonly #limits: LogLimits
  /** In order of arrival; those before `#first` are no longer kept. */
  #records: LogRecord[] = []
  #first = 0
  readonly #byTrace = new Map<string, LogRecord[]>()
  readonly #byConnection = new Map<string, LogRecord[]>()
  #bytes = 0
  #next = 1
  #dropped = 0

  constructor(limits: LogLimits) {
    this.#limits = limits
  }

  get count(): number {
    return this.#records.length - this.#first
  }

  /** Records that were dropped to make room. */
  get dropped(): number {
    return this.#dropped
  }

  add(log: NewLog): void {
    const record: LogRecord = { ...log, number: this.#next++ }
    this.#records.push(record)
    this.#bytes += logBytes(record)
    file(this.#byTrace, record.traceId, record)
    file(this.#byConnection, textAttribute(record.attributes, CONNECTION_ID), record)
    const { maxLogs, maxLogBytes } = this.#limits
    while (this.count > 1 && (this.count > maxLogs || this.#bytes > maxLogBytes)) this.#evictOldest()
  }

  /** Records of a trace, oldest arrival first. */
  ofTrace(traceId: string): readonly LogRecord[] {
    return this.#byTrace.get(traceId) ?? none
  }

  /** Records that carry the id of the connection, oldest arrival first. */
  ofConnection(id: string): readonly LogRecord[] {
    return this.#byConnection.get(id) ?? none
  }

  /** All records, newest arrival first. */
  *newest(): Generator<LogRecord> {
    for (let index = this.#records.length - 1; index >= this.#first; index--) yield this.#records[index]!
  }

  clear(): void {
    this.#records = []
    this.#first = 0
    this.#byTrace.clear()
    this.#byConnection.clear()
    this.#bytes = 0
    this.#dropped = 0
  }

  #evictOldest(): void {
    const record = this.#records[this.#first++]!
    this.#bytes -= logBytes(record)
    this.#dropped++
    unfile(this.#byTrace, record.traceId)
    unfile(this.#byConnection, textAttribute(record.attributes, CONNECTION_ID))
    if (this.#first > 1000 && this.#first > this.#records.length / 2) {
      this.#records = this.#records.slice(this.#first)
      this.#first = 0
    }
  }
}

function file(index: Map<string, LogRecord[]>, key: string, record: LogRecord): void {
  if (key === '') return
  const records = index.get(key)
  if (records === undefined) index.set(key, [record])
  else records.push(record)
}

/** Takes the oldest record out of an index: all of them leave in the order in which they came. */
function unfile(index: Map<string, LogRecord[]>, key: string): void {
  const records = index.get(key)
  if (records === undefined) return
  records.shift()
  if (records.length === 0) index.delete(key)
}
