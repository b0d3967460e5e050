import { type Attributes, type Link, type Span, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { endSpan, isRecording, renameSpan, setAttribute, setAttributes, setStatus } from '../api/span.ts'
import type { Protocol } from '../protocols/protocol.ts'
import * as schema from '../schema.ts'
import type { OperationHost } from './host.ts'
import type { OpenOperation } from './open-operation.ts'
import { type NameCounts, type OperationName, type OperationNames, operationName } from './operation-names.ts'

type TelemetryHost = Pick<
  OperationHost<never, never>,
  'route' | 'series' | 'instruments' | 'traces' | 'startOperationSpan'
>

/** Attributes of operations of one type. */
interface OfType {
  readonly type: string | undefined
  readonly attributes: Attributes
}

/** Names whose metric attributes are kept. */
const MAX_NAMES = 50

/** Distinct types whose operations without a name have names of their own. */
const MAX_TYPES = 20

/** Names the operations of one connection, describes their spans and records their metrics. */
export class OperationTelemetry {
  readonly #host: TelemetryHost
  readonly #protocol: Protocol
  readonly #names: OperationNames
  readonly #counts: NameCounts = { proven: 0, unproven: 0 }
  readonly #unnamed = new Map<string | undefined, OperationName>()
  /** Metric attributes of operations that have succeeded, by name: the same for each request. */
  readonly #succeeded = new Map<OperationName, OfType>()
  /** Attributes of spans that start, for operations of the type that was seen last. */
  #starting: OfType | undefined

  constructor(host: TelemetryHost, protocol: Protocol, names: OperationNames) {
    this.#host = host
    this.#protocol = protocol
    this.#names = names
  }

  /** Name of an operation that begins. */
  startName(operation: OpenOperation): OperationName {
    const { rawName } = operation
    return (rawName === undefined ? undefined : this.#names.known(rawName)) ?? this.#unnamedOf(operation)
  }

  /** Name of an operation while the protocol of the connection is a guess. */
  unconfirmedName(): OperationName {
    return operationName(undefined, this.#host.route)
  }

  startAttributes({ type }: OpenOperation): Attributes {
    const known = this.#starting
    if (known !== undefined && known.type === type) return known.attributes
    const attributes: Attributes = { [schema.ATTR_WEBSOCKET_PROTOCOL]: this.#protocol.name }
    if (type !== undefined) attributes[schema.ATTR_WEBSOCKET_OPERATION_TYPE] = type
    this.#starting = { type, attributes }
    return attributes
  }

  /** An operation is answered or over: describes its span, and records its duration unless it is a stream. */
  answered(operation: OpenOperation, span: Span | undefined): void {
    const { instruments } = this.#host
    const { outcome, isStream } = operation
    const isMeasured = instruments.recording && !isStream && outcome !== undefined
    const recorded = isRecording(span) ? span : undefined
    const name = this.#nameOf(operation)
    if (recorded === undefined && !isMeasured) return
    const errorType = hasFailed(operation) ? this.#errorType(operation) : undefined
    if (recorded !== undefined) {
      renameSpan(recorded, operation.isServed ? name.process : name.send)
      this.#describe(recorded, operation, name, errorType)
    }
    if (!isMeasured) return
    const attributes = this.#metricAttributes(operation, name, errorType)
    instruments.operationDuration.record(seconds(operation.startTime), attributes, operation.scope)
  }

  /** Names the span of an operation that is over, and sets what is known on it. */
  describe(operation: OpenOperation, span: Span): void {
    const name = this.#nameOf(operation)
    renameSpan(span, operation.isServed ? name.process : name.send)
    this.#describe(span, operation, name, hasFailed(operation) ? this.#errorType(operation) : undefined)
  }

  /** A stream has its first item. */
  firstItem(operation: OpenOperation): void {
    const { instruments } = this.#host
    if (!instruments.recording) return
    instruments.streamFirstItem.record(seconds(operation.startTime), this.#nameAttributes(this.#nameOf(operation)))
  }

  /** A stream is over: records its figures, and a span that is linked to the one of its request. */
  streamEnded(operation: OpenOperation): void {
    const name = this.#nameOf(operation)
    const errorType = operation.outcome === 'error' ? this.#errorType(operation) : undefined
    this.#recordStream(operation, name, errorType)
    if (!this.#host.traces(operation.isServed ? 'receive' : 'send')) return
    const link = operationLink(operation.spanContext)
    const span = this.#host.startOperationSpan(name.complete, SpanKind.INTERNAL, {}, undefined, link)
    if (isRecording(span)) {
      this.#describe(span, operation, name, errorType)
      setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_ITEMS, operation.items)
      setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_BYTES, operation.bytes)
      if (operation.firstItemAt !== 0) {
        const first = (operation.firstItemAt - operation.startTime) / 1000
        setAttribute(span, schema.ATTR_WEBSOCKET_STREAM_TIME_TO_FIRST_ITEM, first)
      }
      setAttribute(span, schema.ATTR_WEBSOCKET_OPERATION_DURATION, seconds(operation.startTime))
    }
    endSpan(span)
  }

  /** Records the time from a ping of the protocol to its answer. */
  pingAnswered(sentAt: number): void {
    const { instruments, series } = this.#host
    if (instruments.recording) instruments.pingRtt?.record(seconds(sentAt), series.attributes)
  }

  #nameOf(operation: OpenOperation): OperationName {
    const { rawName, outcome } = operation
    if (rawName === undefined) return this.#unnamedOf(operation)
    const hasSucceeded = outcome === 'ok' || (outcome === undefined && operation.isStream && !operation.hasEnded)
    return this.#names.settle(rawName, hasSucceeded, this.#counts)
  }

  #unnamedOf({ type }: OpenOperation): OperationName {
    let name = this.#unnamed.get(type)
    if (name === undefined) {
      name = operationName(undefined, type ?? this.#host.route)
      if (this.#unnamed.size < MAX_TYPES) this.#unnamed.set(type, name)
    }
    return name
  }

  #describe(span: Span, operation: OpenOperation, name: OperationName, errorType: string | undefined): void {
    const { conventions, name: protocol } = this.#protocol
    const { type, outcome } = operation
    const set = (key: string, other: string | undefined, value: string | undefined): void => {
      if (value === undefined) return
      setAttribute(span, key, value)
      if (other !== undefined) setAttribute(span, other, value)
    }
    setAttribute(span, schema.ATTR_WEBSOCKET_PROTOCOL, protocol)
    if (conventions?.constant !== undefined) setAttributes(span, conventions.constant)
    set(schema.ATTR_WEBSOCKET_OPERATION_NAME, conventions?.name, name.name)
    set(schema.ATTR_WEBSOCKET_OPERATION_TYPE, conventions?.type, type)
    set(schema.ATTR_WEBSOCKET_OPERATION_ID, conventions?.id, this.#idText(operation.key))
    set(schema.ATTR_WEBSOCKET_OPERATION_OUTCOME, undefined, outcome)
    set(schema.ATTR_ERROR_TYPE, operation.errorCode === undefined ? undefined : conventions?.error, errorType)
    if (errorType !== undefined) setStatus(span, { code: SpanStatusCode.ERROR })
  }

  #idText(key: string): string {
    if (this.#protocol.hashesIds === true) return hash(key)
    return (key.startsWith('"') ? key.slice(1) : key).slice(0, 64)
  }

  /** Only codes are recorded of a failure: messages are content. */
  #errorType({ outcome, errorCode }: OpenOperation): string {
    if (outcome !== 'error') return outcome as string
    return errorCode === undefined ? 'error' : this.#names.code(errorCode)
  }

  #nameAttributes(name: OperationName): Attributes {
    const attributes: Attributes = {
      ...this.#host.series.attributes,
      [schema.ATTR_WEBSOCKET_PROTOCOL]: this.#protocol.name,
    }
    if (name.name !== undefined) attributes[schema.ATTR_WEBSOCKET_OPERATION_NAME] = name.name
    return attributes
  }

  #metricAttributes(operation: OpenOperation, name: OperationName, errorType: string | undefined): Attributes {
    if (operation.outcome !== 'ok') return this.#newMetricAttributes(operation, name, errorType)
    const { type } = operation
    const known = this.#succeeded.get(name)
    if (known !== undefined && known.type === type) return known.attributes
    const attributes = this.#newMetricAttributes(operation, name, errorType)
    if (this.#succeeded.size < MAX_NAMES || known !== undefined) this.#succeeded.set(name, { type, attributes })
    return attributes
  }

  #newMetricAttributes(operation: OpenOperation, name: OperationName, errorType: string | undefined): Attributes {
    const attributes = this.#nameAttributes(name)
    if (operation.type !== undefined) attributes[schema.ATTR_WEBSOCKET_OPERATION_TYPE] = operation.type
    if (operation.outcome !== undefined) attributes[schema.ATTR_WEBSOCKET_OPERATION_OUTCOME] = operation.outcome
    if (errorType !== undefined) attributes[schema.ATTR_ERROR_TYPE] = errorType
    return attributes
  }

  #recordStream(operation: OpenOperation, name: OperationName, errorType: string | undefined): void {
    const { instruments } = this.#host
    if (!instruments.recording) return
    const attributes = this.#metricAttributes(operation, name, errorType)
    instruments.operationItems.record(operation.items, attributes)
    instruments.streamDuration.record(seconds(operation.startTime), attributes)
  }
}

/** True for the outcomes of a request that are errors. */
export function hasFailed({ outcome }: Pick<OpenOperation, 'outcome'>): boolean {
  return outcome === 'error' || outcome === 'timeout' || outcome === 'disconnected'
}

/** Link to the span of an operation's request. */
export function operationLink(context: SpanContext | undefined): Link | undefined {
  return context && { context, attributes: { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'operation' } }
}

function seconds(since: number): number {
  return (performance.now() - since) / 1000
}

/** Eight hex digits (FNV-1a), for ids that are content. */
function hash(text: string): string {
  let value = 0x811c9dc5
  for (let index = 0; index < text.length; index++) {
    value = Math.imul(value ^ text.charCodeAt(index), 0x01000193)
  }
  return (value >>> 0).toString(16).padStart(8, '0')
}
