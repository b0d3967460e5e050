import {
  type Attributes,
  type BatchObservableResult,
  type Context,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  type Observable,
  type Span,
} from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { type Close, closeCodeLabel } from '../close/close.ts'
import { withSpan } from '../context/span-scope.ts'
import { createCounter, createHistogram, createObservable, meterOf, observeBatch } from '../metrics/instruments.ts'
import { sharedSet } from '../metrics/registry.ts'
import * as schema from '../schema.ts'
import { forceFlush } from '../services/providers.ts'
import { errorType } from '../span/error-type.ts'
import type { MessageName } from '../span/names.ts'

export type Direction = 'receive' | 'send'
export type UndeliveredReason = 'not_open' | 'error' | 'ack_timeout' | 'volatile'
type ScopeName = { name: string; version: string }
type Observe = (value: number, more?: Attributes) => void

/** An open connection whose buffered bytes can be read. */
export interface Buffering {
  readonly bufferedAmount?: number
}

/** The dispatch of a message, as its metrics see it. */
interface HandledProcess extends Context {
  readonly message: MessageName
  readonly startTime: number
  readonly countsAsFailed: boolean
  readonly error: unknown
}

/** The numbers of all connections of a client that share route, namespace and subprotocol. */
export class ClientSeries {
  readonly attributes: Attributes
  readonly live = new Set<Buffering>()
  /** Messages by direction and type. */
  readonly messages = { receive: { text: 0, binary: 0 }, send: { text: 0, binary: 0 } }
  /** Payload bytes by direction. */
  readonly bytes = { receive: 0, send: 0 }
  /** Messages that were not delivered, by reason. */
  readonly undelivered: Partial<Record<UndeliveredReason, number>> = {}
  processing = 0
  reconnects = 0
  /** Open operations by protocol. */
  readonly operations = new Map<string, number>()
  readonly #set: ClientMetricSet

  constructor(set: ClientMetricSet, attributes: Attributes) {
    this.#set = set
    this.attributes = attributes
  }

  /** The instruments of operations. */
  get instruments(): ClientMetricSet {
    return this.#set
  }

  /** False while nothing would be recorded. */
  get recording(): boolean {
    return this.#set.recording
  }

  /** An attempt to connect has its outcome, after so many seconds. */
  connected(duration: number, outcome: Attributes, span: Span | undefined): void {
    if (!this.recording) return
    const active = activeContext()
    const around = span === undefined ? active : withSpan(active, span)
    this.#set.connectDuration.record(duration, { ...this.attributes, ...outcome }, around)
  }

  opened(socket: Buffering, isReplacement: boolean): void {
    this.live.add(socket)
    if (isReplacement) this.reconnects++
  }

  /** A connection has closed, after so many seconds. */
  closed(socket: Buffering, duration: number, close: Close, declaredCodes: readonly number[] = []): void {
    this.live.delete(socket)
    if (!this.recording) return
    this.#set.connectionDuration.record(duration, {
      ...this.attributes,
      [schema.ATTR_WEBSOCKET_CLOSE_CATEGORY]: close.category,
      [schema.ATTR_WEBSOCKET_CLOSE_INITIATOR]: close.initiator,
      [schema.ATTR_WEBSOCKET_CLOSE_CODE]: closeCodeLabel(close.code, new Set(declaredCodes)),
    })
  }

  /** Counts a message. */
  count(direction: Direction, binary: boolean, size: number, recordsSize: boolean | undefined): void {
    this.messages[direction][binary ? 'binary' : 'text']++
    this.bytes[direction] += size
    if (recordsSize && this.recording) {
      this.#set.messageSize.record(size, { ...this.attributes, ...directed(direction) })
    }
  }

  /** Counts a message that was not delivered. */
  missed(reason: UndeliveredReason): void {
    this.undelivered[reason] = (this.undelivered[reason] ?? 0) + 1
  }

  /** The handlers of a message are about to run. */
  started(): void {
    this.processing++
  }

  /** Records how long the handlers of a message took, until this time on the monotonic clock. */
  record(process: HandledProcess, handledAt: number, isCut: boolean): void {
    const { startTime } = process
    if (!this.recording || startTime === 0) return
    const attributes = this.#attributesOf(process, process.countsAsFailed, process.error)
    this.#set.processDuration.record(
      (handledAt - startTime) / 1000,
      isCut ? { ...attributes, [schema.ATTR_WEBSOCKET_SPAN_ENDED_BY]: 'disconnect' } : attributes,
      process,
    )
  }

  /** A handler failed after its connection had closed. */
  failedLate(process: HandledProcess, error: unknown): void {
    if (this.recording) this.#set.lateFailures.add(1, this.#attributesOf(process, true, error), process)
  }

  #attributesOf({ message: { name } }: HandledProcess, failed: boolean, error: unknown): Attributes {
    const attributes =
      name === undefined ? this.attributes : { ...this.attributes, [schema.ATTR_WEBSOCKET_MESSAGE_NAME]: name }
    return failed ? { ...attributes, [schema.ATTR_ERROR_TYPE]: errorType(error) } : attributes
  }
}

/** Values that are read from a series when metrics are collected. */
const READINGS: readonly (readonly [schema.InstrumentSchema, (series: ClientSeries, observe: Observe) => void])[] = [
  [schema.METRIC_CLIENT_CONNECTION_ACTIVE, ({ live }, observe) => observe(live.size)],
  [schema.METRIC_CLIENT_PROCESS_ACTIVE, ({ processing }, observe) => observe(processing)],
  [
    schema.METRIC_CLIENT_OPERATION_ACTIVE,
    ({ operations }, observe) => {
      for (const [protocol, open] of operations) observe(open, { [schema.ATTR_WEBSOCKET_PROTOCOL]: protocol })
    },
  ],
  [schema.METRIC_CLIENT_RECONNECTS, ({ reconnects }, observe) => observe(reconnects)],
  [
    schema.METRIC_CLIENT_SEND_BUFFERED,
    ({ live }, observe) => {
      let bytes = 0
      for (const { bufferedAmount } of live) bytes += bufferedAmount ?? 0
      observe(bytes)
    },
  ],
  [
    schema.METRIC_CLIENT_SEND_UNDELIVERED,
    ({ undelivered }, observe) => {
      for (const reason of keys(undelivered))
        observe(undelivered[reason] as number, { [schema.ATTR_WEBSOCKET_UNDELIVERED_REASON]: reason })
    },
  ],
  [
    schema.METRIC_CLIENT_MESSAGES,
    ({ messages }, observe) => {
      for (const direction of keys(messages)) {
        for (const type of keys(messages[direction])) {
          const count = messages[direction][type]
          if (count > 0) observe(count, { ...directed(direction), [schema.ATTR_WEBSOCKET_MESSAGE_TYPE]: type })
        }
      }
    },
  ],
  [
    schema.METRIC_CLIENT_IO,
    ({ bytes }, observe) => {
      for (const direction of keys(bytes)) observe(bytes[direction], directed(direction))
    },
  ],
]

const keys = Object.keys as <T extends object>(of: T) => (keyof T)[]

/** A direction as an attribute. */
function directed(direction: Direction): Attributes {
  return { [schema.ATTR_WEBSOCKET_MESSAGE_DIRECTION]: direction }
}

/** All instruments of a client. Until a MeterProvider is registered it only counts. */
export class ClientMetricSet {
  readonly #series = new Map<string, ClientSeries>()
  readonly #scope: ScopeName
  #provider: MeterProvider | undefined
  #meter: Meter = createNoopMeter()
  #unbind: (() => void) | undefined
  recording = false
  connectDuration!: Histogram
  connectionDuration!: Histogram
  processDuration!: Histogram
  lateFailures!: Counter
  messageSize!: Histogram
  operationDuration!: Histogram
  operationItems!: Histogram
  streamFirstItem!: Histogram
  streamDuration!: Histogram

  constructor(scope: ScopeName) {
    this.#scope = scope
    this.#createHistograms()
  }

  /** The series of a combination of attributes; connections hold on to theirs. */
  series(route: string | undefined, namespace: string | undefined, subprotocol?: string): ClientSeries {
    const key = `${route}\n${namespace}\n${subprotocol}`
    let series = this.#series.get(key)
    if (series === undefined) {
      series = new ClientSeries(this, {
        ...(route !== undefined && { [schema.ATTR_WEBSOCKET_ROUTE]: route }),
        ...(namespace !== undefined && { [schema.ATTR_WEBSOCKET_NAMESPACE]: namespace }),
        ...(subprotocol && { [schema.ATTR_WEBSOCKET_SUBPROTOCOL]: subprotocol }),
      })
      this.#series.set(key, series)
    }
    return series
  }

  bind(provider: MeterProvider): void {
    this.#provider = provider
    const meter = meterOf(provider, this.#scope)
    if (meter === this.#meter) return
    this.#unbind?.()
    this.#meter = meter
    this.recording = meter !== createNoopMeter()
    this.#createHistograms()
    if (this.recording) this.#observe()
  }

  /** Asks the provider to export what it has. */
  flush(): Promise<void> {
    return forceFlush(this.#provider)
  }

  #createHistograms(): void {
    this.connectDuration = createHistogram(this.#meter, schema.METRIC_CLIENT_CONNECT_DURATION)
    this.connectionDuration = createHistogram(this.#meter, schema.METRIC_CLIENT_CONNECTION_DURATION)
    this.processDuration = createHistogram(this.#meter, schema.METRIC_CLIENT_PROCESS_DURATION)
    this.lateFailures = createCounter(this.#meter, schema.METRIC_CLIENT_PROCESS_LATE_FAILURES)
    this.messageSize = createHistogram(this.#meter, schema.METRIC_CLIENT_MESSAGE_SIZE)
    this.operationDuration = createHistogram(this.#meter, schema.METRIC_CLIENT_OPERATION_DURATION)
    this.operationItems = createHistogram(this.#meter, schema.METRIC_CLIENT_OPERATION_ITEMS)
    this.streamFirstItem = createHistogram(this.#meter, schema.METRIC_CLIENT_STREAM_FIRST_ITEM_DURATION)
    this.streamDuration = createHistogram(this.#meter, schema.METRIC_CLIENT_STREAM_DURATION)
  }

  #observe(): void {
    const meter = this.#meter
    const instruments = READINGS.map(([instrument]) => createObservable(meter, instrument))
    const callback = (result: BatchObservableResult): void => {
      for (const series of this.#series.values()) {
        READINGS.forEach(([, read], index) => {
          read(series, (value, more) =>
            result.observe(instruments[index] as Observable, value, { ...series.attributes, ...more }),
          )
        })
      }
    }
    this.#unbind = observeBatch(meter, callback, instruments)
  }
}

const create = (scope: ScopeName): ClientMetricSet => new ClientMetricSet(scope)

/** Makes the metrics of a client: value of option `metrics`. */
export type ClientMetrics = (scope: ScopeName, provider: MeterProvider | undefined) => ClientMetricSet

/**
 * The metrics of clients, `websocket.client.*`, for option `metrics`. In Node they are on by themselves; a page that does
 * not use them does not carry them. They go to option `meterProvider`, or to the global one.
 */
export const clientMetrics: ClientMetrics = (scope, provider) => sharedSet(scope, provider, create)
