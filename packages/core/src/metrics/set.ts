import {
  type Attributes,
  type BatchObservableResult,
  type Counter,
  createNoopMeter,
  type Histogram,
  type Meter,
  type MeterProvider,
  type Observable,
} from '@opentelemetry/api'
import * as schema from '../schema.ts'
import { createCounter, createHistogram, createObservable, meterOf, observeBatch } from './instruments.ts'
import type { LiveConnection } from './live-connections.ts'
import { sharedSet } from './registry.ts'
import { RECEIVE, SEND, Series, type UndeliveredReason } from './series.ts'

/** All instruments of one instrumentation scope. Until a MeterProvider is registered it only counts. */
export class MetricSet {
  readonly #series = new Map<string, Series>()
  readonly #scope: { name: string; version: string }
  #meter: Meter
  #unbind: (() => void) | undefined
  /** False while nothing would be recorded: durations need not be measured. */
  recording = false
  handshakeDuration!: Histogram
  connectionDuration!: Histogram
  openDuration!: Histogram
  drainDuration!: Histogram
  processDuration!: Histogram
  lateFailures!: Counter
  ackDuration!: Histogram
  messageSize!: Histogram
  pingRtt!: Histogram
  broadcastRecipients!: Histogram
  broadcastDuration!: Histogram
  deliverLag!: Histogram
  streamFirstItem!: Histogram
  streamDuration!: Histogram
  operationDuration!: Histogram
  operationItems!: Histogram

  constructor(scope: { name: string; version: string }) {
    this.#scope = scope
    this.#meter = createNoopMeter()
    this.#createInstruments()
  }

  /** The series of a combination of attributes; connections hold on to theirs. */
  series(
    route: string | undefined,
    namespace: string | undefined,
    subprotocol: string | undefined,
    further?: Attributes,
  ): Series {
    const key = `${route}\n${namespace}\n${subprotocol}${further === undefined ? '' : `\n${JSON.stringify(further)}`}`
    let series = this.#series.get(key)
    if (series === undefined) {
      const attributes: Attributes = { ...further }
      if (route !== undefined) attributes[schema.ATTR_WEBSOCKET_ROUTE] = route
      if (namespace !== undefined) attributes[schema.ATTR_WEBSOCKET_NAMESPACE] = namespace
      if (subprotocol !== undefined) attributes[schema.ATTR_WEBSOCKET_SUBPROTOCOL] = subprotocol
      series = new Series(attributes)
      this.#series.set(key, series)
    }
    return series
  }

  /** Every connection that is open now. */
  connections(): LiveConnection[] {
    return [...this.#series.values()].flatMap((series) => [...series.live])
  }

  /** Records to this provider from now on. Counts so far are kept. */
  bind(provider: MeterProvider): void {
    const meter = meterOf(provider, this.#scope)
    if (meter === this.#meter) return
    this.#unbind?.()
    this.#meter = meter
    this.recording = meter !== createNoopMeter()
    this.#createInstruments()
  }

  #createInstruments(): void {
    this.handshakeDuration = createHistogram(this.#meter, schema.METRIC_HANDSHAKE_DURATION)
    this.connectionDuration = createHistogram(this.#meter, schema.METRIC_CONNECTION_DURATION)
    this.openDuration = createHistogram(this.#meter, schema.METRIC_OPEN_DURATION)
    this.drainDuration = createHistogram(this.#meter, schema.METRIC_DRAIN_DURATION)
    this.processDuration = createHistogram(this.#meter, schema.METRIC_PROCESS_DURATION)
    this.lateFailures = createCounter(this.#meter, schema.METRIC_PROCESS_LATE_FAILURES)
    this.ackDuration = createHistogram(this.#meter, schema.METRIC_ACK_DURATION)
    this.messageSize = createHistogram(this.#meter, schema.METRIC_MESSAGE_SIZE)
    this.pingRtt = createHistogram(this.#meter, schema.METRIC_PING_RTT)
    this.broadcastRecipients = createHistogram(this.#meter, schema.METRIC_BROADCAST_RECIPIENTS)
    this.broadcastDuration = createHistogram(this.#meter, schema.METRIC_BROADCAST_DURATION)
    this.deliverLag = createHistogram(this.#meter, schema.METRIC_DELIVER_LAG)
    this.streamFirstItem = createHistogram(this.#meter, schema.METRIC_STREAM_FIRST_ITEM_DURATION)
    this.streamDuration = createHistogram(this.#meter, schema.METRIC_STREAM_DURATION)
    this.operationDuration = createHistogram(this.#meter, schema.METRIC_OPERATION_DURATION)
    this.operationItems = createHistogram(this.#meter, schema.METRIC_OPERATION_ITEMS)
    if (this.recording) this.#observe()
  }

  #observe(): void {
    const meter = this.#meter
    const active = createObservable(meter, schema.METRIC_CONNECTION_ACTIVE)
    const processing = createObservable(meter, schema.METRIC_PROCESS_ACTIVE)
    const streams = createObservable(meter, schema.METRIC_STREAM_ACTIVE)
    const messages = createObservable(meter, schema.METRIC_MESSAGES)
    const io = createObservable(meter, schema.METRIC_IO)
    const buffered = createObservable(meter, schema.METRIC_SEND_BUFFERED)
    const slow = createObservable(meter, schema.METRIC_CONNECTION_SLOW)
    const idle = createObservable(meter, schema.METRIC_CONNECTION_IDLE)
    const draining = createObservable(meter, schema.METRIC_CONNECTION_DRAINING)
    const undelivered = createObservable(meter, schema.METRIC_SEND_UNDELIVERED)
    const rooms = createObservable(meter, schema.METRIC_ROOM_CHANGES)
    const missedPings = createObservable(meter, schema.METRIC_PING_MISSED)
    const droppedSpans = createObservable(meter, schema.METRIC_SPANS_DROPPED)
    const operations = createObservable(meter, schema.METRIC_OPERATION_ACTIVE)
    const observables = [
      active,
      processing,
      streams,
      messages,
      io,
      buffered,
      slow,
      idle,
      draining,
      undelivered,
      missedPings,
      rooms,
      droppedSpans,
      operations,
    ]
    const callback = (result: BatchObservableResult) => {
      for (const series of this.#series.values()) {
        const { attributes } = series
        result.observe(active, series.live.size, attributes)
        result.observe(processing, series.processing, attributes)
        result.observe(streams, series.streams, attributes)
        observeMessages(result, messages, series)
        result.observe(io, series.receivedBytes, series.directed('receive'))
        result.observe(io, series.sentBytes, series.directed('send'))
        let bufferedBytes = 0
        let slowConnections = 0
        let idleConnections: number | undefined
        for (const connection of series.live) {
          const bytes = connection.bufferedAmount()
          bufferedBytes += bytes
          if (bytes > connection.slowBytes) slowConnections++
          const { isIdle } = connection
          if (isIdle !== undefined) idleConnections = (idleConnections ?? 0) + Number(isIdle)
        }
        if (series.draining !== undefined) result.observe(draining, series.draining, attributes)
        if (idleConnections !== undefined) result.observe(idle, idleConnections, attributes)
        result.observe(buffered, bufferedBytes, attributes)
        result.observe(slow, slowConnections, attributes)
        observeUndelivered(result, undelivered, series)
        result.observe(missedPings, series.missedPings, attributes)
        observeRooms(result, rooms, series)
        observeDropped(result, droppedSpans, series)
        for (const [protocol, open] of series.operations) {
          result.observe(operations, open, { ...attributes, [schema.ATTR_WEBSOCKET_PROTOCOL]: protocol })
        }
      }
    }
    this.#unbind = observeBatch(meter, callback, observables)
  }
}

const TEXT = { [schema.ATTR_WEBSOCKET_MESSAGE_TYPE]: 'text' }
const PERSONAL = { [schema.ATTR_WEBSOCKET_MESSAGE_DELIVERY]: 'personal' }
const BROADCAST = { [schema.ATTR_WEBSOCKET_MESSAGE_DELIVERY]: 'broadcast' }
const BINARY = { [schema.ATTR_WEBSOCKET_MESSAGE_TYPE]: 'binary' }

function observeMessages(result: BatchObservableResult, instrument: Observable, series: Series): void {
  const { attributes } = series
  if (series.receivedText > 0) result.observe(instrument, series.receivedText, { ...attributes, ...RECEIVE, ...TEXT })
  if (series.receivedBinary > 0)
    result.observe(instrument, series.receivedBinary, { ...attributes, ...RECEIVE, ...BINARY })
  for (const [name, { received, personal, broadcast }] of series.namedCounts) {
    const named = { ...attributes, [schema.ATTR_WEBSOCKET_MESSAGE_NAME]: name }
    if (received > 0) result.observe(instrument, received, { ...named, ...RECEIVE })
    if (personal > 0) result.observe(instrument, personal, { ...named, ...SEND, ...PERSONAL })
    if (broadcast > 0) result.observe(instrument, broadcast, { ...named, ...SEND, ...BROADCAST })
  }
  if (series.sentText > 0) result.observe(instrument, series.sentText, { ...attributes, ...SEND, ...TEXT })
  if (series.sentBinary > 0) result.observe(instrument, series.sentBinary, { ...attributes, ...SEND, ...BINARY })
}

function observeUndelivered(result: BatchObservableResult, instrument: Observable, series: Series): void {
  const counts: [UndeliveredReason, number][] = [
    ['not_open', series.notOpen],
    ['error', series.sendErrors],
    ['ack_timeout', series.ackTimeouts],
    ['volatile', series.volatileDrops],
  ]
  for (const [reason, count] of counts) {
    if (count === 0) continue
    result.observe(instrument, count, { ...series.attributes, [schema.ATTR_WEBSOCKET_UNDELIVERED_REASON]: reason })
  }
}

function observeDropped(result: BatchObservableResult, instrument: Observable, series: Series): void {
  const counts: [string, number][] = [
    ['connection_budget', series.droppedSpans],
    ['process_budget', series.droppedByProcess],
    ['keep_limit', series.droppedByKeep],
  ]
  for (const [reason, count] of counts) {
    if (count === 0) continue
    result.observe(instrument, count, { ...series.attributes, [schema.ATTR_WEBSOCKET_SPANS_DROP_REASON]: reason })
  }
}

function observeRooms(result: BatchObservableResult, instrument: Observable, series: Series): void {
  const { attributes, roomJoins, roomLeaves } = series
  if (roomJoins > 0)
    result.observe(instrument, roomJoins, { ...attributes, [schema.ATTR_WEBSOCKET_ROOM_CHANGE]: 'join' })
  if (roomLeaves > 0) {
    result.observe(instrument, roomLeaves, { ...attributes, [schema.ATTR_WEBSOCKET_ROOM_CHANGE]: 'leave' })
  }
}

/** The metric set of a server-side scope, shared as {@link sharedSet} says. */
export function metricSet(scope: { name: string; version: string }, provider: MeterProvider | undefined): MetricSet {
  return sharedSet(scope, provider, createMetricSet)
}

const createMetricSet = (scope: { name: string; version: string }): MetricSet => new MetricSet(scope)
