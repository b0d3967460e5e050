import {
  type Attributes,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { endSpan, idsOf, isRecording, renameSpan, setAttribute, setAttributes, setStatus } from '../api/span.ts'
import type { SpanDeadlines } from '../context/deadlines.ts'
import { sendParent } from '../context/send-parent.ts'
import { spanScopeOf, withoutSpan } from '../context/span-scope.ts'
import type { Carrier } from '../propagation/carrier.ts'
import { MAX_RECORDS, MessageReader, READ_HEAD_BYTES, READ_TAIL_BYTES } from '../protocols/message-reader.ts'
import type { MessageKind, Protocol, ProtocolRecord, ProtocolState } from '../protocols/protocol.ts'
import * as schema from '../schema.ts'
import { OpenOperation, type OperationOwner, type OperationScope, SpanHolder } from './open-operation.ts'
import { type NameCounts, type OperationName, type OperationNames, operationName } from './operation-names.ts'
import { OperationTable } from './operation-table.ts'
import { countOpen, type OperationInstruments, type OperationSeries } from './recorder.ts'

/** What all connections of a server or client have in common. */
export interface OperationSettings {
  readonly names: OperationNames
  readonly deadlines: Pick<SpanDeadlines, 'add' | 'delete'>
  readonly maxOperations: number
  readonly streamItems: boolean
  /** Requests that a lost connection left unanswered, for clients, which may send them again. */
  readonly unanswered?: UnansweredRequests
  /** The context of the caller of a request, for libraries that send later than they are called. */
  readonly callerOf?: (key: string, name: string | undefined) => Context | undefined
}

/** Requests that were open when their connection was lost. */
export interface UnansweredRequests {
  add(key: string, name: string | undefined, span: SpanContext): void
  /** The span of the request that is sent again. */
  take(key: string, name: string | undefined): SpanContext | undefined
}

/** The connection whose messages are read. `P` is what its messages are dispatched in, `M` a message that it receives. */
export interface OperationHost<P, M> {
  readonly route: string | undefined
  readonly received: number
  readonly sent: number
  readonly series: OperationSeries
  readonly instruments: OperationInstruments
  /** Text of the payload's bytes from `start` to `end`. */
  textOf(data: unknown, start: number, end: number): string
  /** Reads the messages of the connection as those of a protocol from now on; `undefined` if it has none. */
  useProtocol(protocol: Protocol | undefined, isConfirmed?: boolean): MessageReading<P, M> | undefined
  /** A protocol that was used while it was not confirmed is the one of the connection. */
  protocolConfirmed(protocol: Protocol): void
  /** True if spans are made in this direction. */
  traces(direction: 'receive' | 'send'): boolean
  /** Starts a span with the connection's attributes; one without a parent is linked to the handshake. */
  startOperationSpan(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context | undefined,
    link?: Link,
  ): Span | undefined
  /** Starts the process of a message that begins an operation. */
  startOperation(message: M, request: StartedRequest): P & OperationScope
  /** Starts the process of a message that begins several. */
  startBatch(message: M, attributes: Attributes): P & BatchHolder
  /**
   * Starts the dispatch of a message that has no span of its own.
   *
   * @param parent the handlers run in this context; without it, outside of any span
   * @param settled called when the synchronous part of the handlers has returned
   * @param isMeasured the duration of the handlers is recorded, as that of any message
   */
  startQuiet(parent: Context | undefined, settled?: () => void, isMeasured?: boolean): P
  /** Calls back when what was sent is written. */
  whenFlushed(callback: () => void): void
  /** The application's protocol threw. */
  protocolFailed(error: unknown): void
}

/** A request that has arrived, for the span of its process. */
export interface StartedRequest {
  readonly operation: OpenOperation
  readonly spanName: string
  readonly attributes: Attributes
  /** The context in the place that the protocol has for it. */
  readonly carrier: Carrier | undefined
  /** No hook may see the message. */
  readonly isSecret: boolean
}

/** The process of a message with several requests. */
export interface BatchHolder extends Context {
  hold(): void
  done(): void
}

/** A message that is sent and is not recorded as any message. */
export interface PlannedSend {
  /** Its span, which ends with the operation. */
  readonly span: Span | undefined
}

/** What reads the messages of a connection: its operations, or while it is not known whether it has any, the detection. */
export interface MessageReading<P, M> {
  /** Name of the event that was read last, for the message's span. */
  readonly eventName: string | undefined
  /** The message that was read last authenticates: no hook may see it. */
  readonly isSecret: boolean
  /** Span of the message that is being sent, if its operation has it. */
  readonly plannedSpan: Span | undefined
  /** Where the protocol has a place for the context of requests. */
  readonly slot: string | undefined
  /** True if the message that is being sent is a request. */
  readonly isRequest: boolean
  /**
   * A message has arrived. Returns what it is dispatched in; `undefined` if it is recorded as any message.
   *
   * @param message passed to the host when the message begins an operation
   */
  receive(data: unknown, binary: boolean, size: number, message: M, host: OperationHost<P, M>): P | undefined
  /** A message is about to be sent. Returns true if it is not recorded as any message. */
  send(data: unknown, binary: boolean, size: number, host: OperationHost<P, M>): boolean
  /** The host has accepted the message of the last call of `send`. */
  accepted(size: number): void
  /** The host has not accepted it. */
  refused(): void
  /** The connection has closed: ends all operations. */
  close(): void
}

const SILENT: PlannedSend = { span: undefined }

interface Pending {
  readonly operation: OpenOperation
  readonly record: ProtocolRecord
}

/** Messages of another form that this end may send before a guessed protocol is given up. */
const MAX_MISSES = 5

const KINDS: ReadonlySet<string> = /* @__PURE__ */ new Set<MessageKind>([
  'request',
  'started',
  'response',
  'item',
  'complete',
  'cancel',
  'event',
  'control',
])

/** One for all messages: they are read one after the other. */
const reader = /* @__PURE__ */ new MessageReader()
let isReading = false

/** The operations of one connection, in both directions. */
export class Operations<P, M> implements OperationOwner, MessageReading<P, M> {
  readonly protocol: Protocol
  readonly settings: OperationSettings
  /** Name of the event that was read last, for the message's span. */
  eventName: string | undefined
  /** The message that was read last authenticates. */
  isSecret = false
  plannedSpan: Span | undefined
  isRequest = false
  readonly #host: OperationHost<P, M>
  readonly #asked: OperationTable
  readonly #served: OperationTable
  readonly #counts: NameCounts = { proven: 0, unproven: 0 }
  readonly #unnamed = new Map<string | undefined, OperationName>()
  /** The request that is being sent. */
  #planned: OpenOperation | undefined
  /** What the message that is being sent does to operations. */
  #pending: Pending[] = []
  #isConfirmed: boolean
  #isRecognized = false
  #isClosing = false
  /** Messages that were sent and are not of the protocol. */
  #misses = 0
  #pingId: string | undefined
  #pingAt = 0
  readonly #state = {
    isSent: false,
    isOpen: (id: string | undefined): boolean => id !== undefined && this.#answering.get(id) !== undefined,
    typeOf: (id: string | undefined): string | undefined =>
      id === undefined ? undefined : this.#answering.get(id)?.type,
  }

  /** @param isConfirmed false while the protocol is guessed from what the peer has sent */
  constructor(host: OperationHost<P, M>, protocol: Protocol, settings: OperationSettings, isConfirmed = true) {
    this.#isConfirmed = isConfirmed
    this.#host = host
    this.protocol = protocol
    this.settings = settings
    this.#asked = new OperationTable(settings.maxOperations)
    this.#served = new OperationTable(settings.maxOperations)
  }

  get slot(): string | undefined {
    return this.protocol.slot
  }

  /** The table of the operations that the message which is read may answer. */
  get #answering(): OperationTable {
    return this.#state.isSent ? this.#served : this.#asked
  }

  /** Open operations in both directions. */
  get size(): number {
    return this.#asked.size + this.#served.size
  }

  receive(data: unknown, binary: boolean, size: number, message: M): P | undefined {
    const records = this.#read(data, binary, size, false)
    const [record] = records
    if (record === undefined || (!this.#isConfirmed && record.kind !== 'request')) return undefined
    return records.length === 1 ? this.#receiveOne(record, size, message) : this.#receiveBatch(records, size, message)
  }

  send(data: unknown, binary: boolean, size: number): boolean {
    if (this.#pending.length > 0) this.#pending = []
    this.plannedSpan = undefined
    this.isRequest = false
    const records = this.#read(data, binary, size, true)
    if (!this.#isConfirmed && !this.#confirms(records)) return false
    let planned: PlannedSend | undefined
    for (const record of records) planned = this.#plan(record, records.length > 1) ?? planned
    if (records.length > 1) return planned !== undefined
    this.isRequest = records[0]?.kind === 'request'
    this.plannedSpan = planned?.span
    return planned !== undefined
  }

  accepted(size: number): void {
    this.plannedSpan = undefined
    this.#planned = undefined
    const pending = this.#pending
    if (pending.length === 0) return
    this.#pending = []
    for (const { operation, record } of pending) this.#apply(operation, record, size, true)
  }

  refused(): void {
    this.#pending = []
    this.plannedSpan = undefined
    const operation = this.#planned
    this.#planned = undefined
    operation?.end('error')
  }

  close(): void {
    if (!this.#isConfirmed) this.#giveUp()
    this.#isClosing = true
    this.#served.disconnect()
    this.#asked.disconnect()
  }

  /** A message of this end: of the protocol, it confirms that the peer's were too. */
  #confirms(records: readonly ProtocolRecord[]): boolean {
    this.#isConfirmed = records.length > 0 && this.#isRecognized
    if (this.#isConfirmed) this.#host.protocolConfirmed(this.protocol)
    else if (++this.#misses >= MAX_MISSES) this.#giveUp()
    return this.#isConfirmed
  }

  /** It was no message of the protocol: what was taken for a request is a message as any. */
  #giveUp(): void {
    for (const operation of this.#served.clear()) {
      countOpen(this.#host.series, this.protocol.name, -1)
      this.settings.deadlines.delete(operation)
      operation.revert()
    }
    this.#host.useProtocol(undefined)
  }

  answered(operation: OpenOperation, span: Span | undefined): void {
    this.settings.deadlines.delete(operation)
    const { outcome } = operation
    const name = this.#nameOf(operation)
    const isFailure = outcome === 'error' || outcome === 'timeout' || outcome === 'disconnected'
    const errorType = isFailure ? this.#errorType(operation) : undefined
    if (isRecording(span)) {
      renameSpan(span, operation.isServed ? name.process : name.send)
      this.#describe(span, operation, name, errorType)
      if (errorType !== undefined) setStatus(span, { code: SpanStatusCode.ERROR })
    }
    const { instruments } = this.#host
    if (operation.isStream || !instruments.recording || outcome === undefined) return
    const attributes = this.#metricAttributes(operation, name, errorType)
    instruments.operationDuration.record(seconds(operation.startTime), attributes, operation.scope)
  }

  firstItem(operation: OpenOperation): void {
    const { instruments } = this.#host
    if (!instruments.recording) return
    const name = this.#nameOf(operation)
    instruments.streamFirstItem.record(seconds(operation.startTime), this.#nameAttributes(name))
  }

  remove(operation: OpenOperation): void {
    const { unanswered } = this.settings
    if (unanswered !== undefined && this.#isClosing && !operation.isServed && operation.spanContext !== undefined) {
      unanswered.add(operation.key, operation.rawName, operation.spanContext)
    }
    this.#tableOf(operation).delete(operation)
    this.settings.deadlines.delete(operation)
    countOpen(this.#host.series, this.protocol.name, -1)
  }

  becameStream(operation: OpenOperation): void {
    this.#tableOf(operation).promote(operation)
  }

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
      if (errorType !== undefined) setStatus(span, { code: SpanStatusCode.ERROR })
    }
    endSpan(span)
  }

  whenFlushed(callback: () => void): void {
    this.#host.whenFlushed(callback)
  }

  #read(data: unknown, binary: boolean, size: number, isSent: boolean): readonly ProtocolRecord[] {
    this.eventName = undefined
    this.isSecret = false
    const { protocol } = this
    // A protocol of an application may send while it reads.
    if ((binary && protocol.binary !== true) || isReading) return []
    isReading = true
    this.#state.isSent = isSent
    try {
      return this.#records(data, size)
    } catch (error) {
      this.#host.protocolFailed(error)
      return []
    } finally {
      isReading = false
    }
  }

  #records(data: unknown, size: number): readonly ProtocolRecord[] {
    const { protocol } = this
    const host = this.#host
    const isWhole = size <= READ_HEAD_BYTES
    const head = host.textOf(data, 0, isWhole ? size : READ_HEAD_BYTES)
    reader.load(head, isWhole ? '' : host.textOf(data, size - READ_TAIL_BYTES, size), isWhole)
    if (!this.#isConfirmed && this.#state.isSent) {
      this.#isRecognized = (protocol.confirms ?? protocol.recognize)?.(reader) === true
    }
    const { separator } = protocol
    const records: ProtocolRecord[] = []
    if (separator !== undefined) {
      let at = 0
      while (records.length < MAX_RECORDS && reader.enterRecord(at)) {
        this.#add(records)
        at = head.indexOf(separator, at) + 1
        if (at === 0) break
      }
    } else if (protocol.batches === true && reader.isBatch) {
      for (let index = 0; index < MAX_RECORDS && reader.enterElement(index); index++) this.#add(records)
    } else this.#add(records)
    return records
  }

  #add(records: ProtocolRecord[]): void {
    const record = this.protocol.read(reader, this.#state as ProtocolState)
    if (record === undefined) return
    if (!KINDS.has(record.kind)) throw new TypeError(`protocol ${this.protocol.name} has read no record`)
    if (!isText(record.id) || !isText(record.name) || !isText(record.type) || !isText(record.error)) {
      throw new TypeError(`protocol ${this.protocol.name} has read a value that is no text`)
    }
    if (record.secret) this.isSecret = true
    records.push(record)
  }

  #receiveOne(record: ProtocolRecord, size: number, message: M): P | undefined {
    const { id } = record
    const host = this.#host
    switch (record.kind) {
      case 'request': {
        if (id === undefined) break
        const operation = this.#open(id, record, true)
        const process = host.startOperation(message, {
          operation,
          spanName: this.#startName(operation).process,
          attributes: this.#startAttributes(operation),
          carrier: this.#slotCarrier(),
          isSecret: this.isSecret,
        })
        this.#attach(operation, process)
        return process
      }
      case 'event':
        break
      case 'control':
        this.#ping(record, false)
        return host.startQuiet(undefined, undefined, true)
      default: {
        const operation = this.#target(record, false)
        if (operation === undefined) {
          this.#answersPing(id)
          return host.startQuiet(undefined)
        }
        if (record.kind === 'item' && this.settings.streamItems && !operation.isPending) {
          this.#apply(operation, record, size, false)
          break
        }
        const isAnswer = operation.isPending && !operation.isStream && !operation.isServed
        if (isAnswer) return host.startQuiet(operation.scope, () => this.#apply(operation, record, size, false))
        this.#apply(operation, record, size, false)
        return host.startQuiet(undefined)
      }
    }
    this.eventName = record.name
    return undefined
  }

  #receiveBatch(records: readonly ProtocolRecord[], size: number, message: M): P {
    const requests = records.filter(({ kind, id }) => kind === 'request' && id !== undefined)
    const settled: (() => void)[] = []
    for (const record of records) {
      if (record.kind === 'request' || record.kind === 'event') continue
      if (record.kind === 'control') this.#ping(record, false)
      const operation = record.kind === 'control' ? undefined : this.#target(record, false)
      if (operation !== undefined) settled.push(() => this.#apply(operation, record, size, false))
    }
    const applyAll = () => {
      for (const apply of settled) apply()
    }
    if (requests.length === 0) return this.#host.startQuiet(undefined, applyAll)
    applyAll()
    const batch = this.#host.startBatch(message, {
      [schema.ATTR_WEBSOCKET_PROTOCOL]: this.protocol.name,
      [schema.ATTR_WEBSOCKET_BATCH_SIZE]: requests.length,
    })
    const parent: Context = batch
    for (const record of requests) {
      const operation = this.#open(record.id as string, record, true)
      const name = this.#startName(operation).process
      const span = this.#host.traces('receive')
        ? this.#host.startOperationSpan(name, SpanKind.SERVER, this.#startAttributes(operation), parent)
        : undefined
      batch.hold()
      this.#attach(operation, new BatchedScope(parent, span, operation, batch))
    }
    return batch
  }

  /** Plans what a message that is sent does. Returns `undefined` if it is recorded as any message. */
  #plan(record: ProtocolRecord, isBatch: boolean): PlannedSend | undefined {
    const { id } = record
    switch (record.kind) {
      case 'request': {
        if (id === undefined) break
        const operation = this.#open(id, record, false)
        const active = activeContext()
        // A library that sends several requests at once does so in the context of one of its callers.
        const caller = this.settings.callerOf?.(id, record.name)
        const parent = caller === undefined && isBatch ? undefined : sendParent(caller ?? active)
        const span = this.#host.traces('send')
          ? this.#host.startOperationSpan(
              this.#startName(operation).send,
              SpanKind.CLIENT,
              this.#startAttributes(operation),
              parent,
              this.#previous(operation),
            )
          : undefined
        this.#planned = operation
        this.#attach(operation, new SpanHolder(parent ?? withoutSpan(active), span, operation))
        return { span }
      }
      case 'event':
        break
      case 'control':
        this.#ping(record, true)
        return SILENT
      default: {
        const operation = this.#target(record, true)
        if (operation === undefined) return SILENT
        this.#pending.push({ operation, record })
        const hasSpan = record.kind === 'item' && this.settings.streamItems && !operation.isPending
        return hasSpan ? undefined : SILENT
      }
    }
    this.eventName = record.name
    return undefined
  }

  /** The operation that a message answers, ends or cancels. */
  #target(record: ProtocolRecord, isSent: boolean): OpenOperation | undefined {
    const { id, kind } = record
    if (id === undefined) return undefined
    const [answering, own] = isSent ? [this.#served, this.#asked] : [this.#asked, this.#served]
    const operation =
      kind === 'cancel'
        ? (own.get(id) ?? answering.get(id))
        : (answering.get(id) ?? (kind === 'complete' ? own.get(id) : undefined))
    if (operation === undefined || !isSent) return operation
    // What is sent in the context of an earlier operation with the same id belongs to that one.
    const scope = spanScopeOf(activeContext()) as Partial<OperationScoped> | undefined
    const earlier = scope?.operation
    return earlier !== undefined && earlier !== operation && earlier.key === id && earlier.owner === this
      ? undefined
      : operation
  }

  #apply(operation: OpenOperation, record: ProtocolRecord, size: number, isSent: boolean): void {
    const failed = 'failed' in record ? record.failed : false
    switch (record.kind) {
      case 'started':
        operation.established()
        break
      case 'item':
        operation.item(size, failed, record.error)
        break
      case 'response':
        operation.response(failed, record.error)
        break
      case 'cancel':
        operation.end('cancelled')
        break
      case 'complete': {
        // Sent by the end that asks, it cancels.
        const isByServing = operation.isServed === isSent
        if (isByServing) operation.completed(failed, record.error)
        else operation.end('cancelled')
        break
      }
      default:
    }
  }

  #open(id: string, record: ProtocolRecord, isServed: boolean): OpenOperation {
    const operation = new OpenOperation(this, id, record.name, record.type, isServed)
    this.#tableOf(operation).add(operation)
    countOpen(this.#host.series, this.protocol.name, 1)
    this.settings.deadlines.add(operation)
    return operation
  }

  #attach(operation: OpenOperation, scope: OperationScope): void {
    operation.scope = scope
    operation.spanContext = idsOf(scope.span)
  }

  /** Link to the same request on the connection that was lost. */
  #previous({ key, rawName }: OpenOperation): Link | undefined {
    return operationLink(this.settings.unanswered?.take(key, rawName))
  }

  #tableOf({ isServed }: OpenOperation): OperationTable {
    return isServed ? this.#served : this.#asked
  }

  #ping({ ping, id }: ProtocolRecord, isSent: boolean): void {
    if (ping === 'ping' && isSent) {
      this.#pingAt = performance.now()
      this.#pingId = id
    } else if (ping === 'pong' && !isSent) this.#answersPing(id)
  }

  #answersPing(id: string | undefined): void {
    if (this.#pingAt === 0 || id !== this.#pingId) return
    const { instruments, series } = this.#host
    if (instruments.recording) instruments.pingRtt?.record(seconds(this.#pingAt), series.attributes)
    this.#pingAt = 0
  }

  /** The context in the place that the specification of the protocol leaves for it. */
  #slotCarrier(): Carrier | undefined {
    const { slot } = this.protocol
    if (slot === undefined || isReading) return undefined
    const traceparent = reader.text(`${slot}.traceparent`)
    return traceparent === undefined ? undefined : { traceparent, tracestate: reader.text(`${slot}.tracestate`) }
  }

  #startName(operation: OpenOperation): OperationName {
    if (!this.#isConfirmed) return operationName(undefined, this.#host.route)
    const { rawName } = operation
    return (rawName === undefined ? undefined : this.settings.names.known(rawName)) ?? this.#unnamedOf(operation)
  }

  #nameOf(operation: OpenOperation): OperationName {
    const { rawName, outcome } = operation
    if (rawName === undefined) return this.#unnamedOf(operation)
    const hasSucceeded = outcome === 'ok' || (outcome === undefined && operation.isStream && !operation.hasEnded)
    return this.settings.names.settle(rawName, hasSucceeded, this.#counts)
  }

  #unnamedOf({ type }: OpenOperation): OperationName {
    let name = this.#unnamed.get(type)
    if (name === undefined) {
      name = operationName(undefined, type ?? this.#host.route)
      if (this.#unnamed.size < 20) this.#unnamed.set(type, name)
    }
    return name
  }

  #startAttributes(operation: OpenOperation): Attributes {
    if (!this.#isConfirmed) return {}
    const attributes: Attributes = { [schema.ATTR_WEBSOCKET_PROTOCOL]: this.protocol.name }
    if (operation.type !== undefined) attributes[schema.ATTR_WEBSOCKET_OPERATION_TYPE] = operation.type
    return attributes
  }

  #describe(span: Span, operation: OpenOperation, name: OperationName, errorType: string | undefined): void {
    const { protocol } = this
    const { conventions } = protocol
    const { type, outcome } = operation
    const set = (key: string, other: string | undefined, value: string | undefined): void => {
      if (value === undefined) return
      setAttribute(span, key, value)
      if (other !== undefined) setAttribute(span, other, value)
    }
    setAttribute(span, schema.ATTR_WEBSOCKET_PROTOCOL, protocol.name)
    if (conventions?.constant !== undefined) setAttributes(span, conventions.constant)
    set(schema.ATTR_WEBSOCKET_OPERATION_NAME, conventions?.name, name.name)
    set(schema.ATTR_WEBSOCKET_OPERATION_TYPE, conventions?.type, type)
    set(schema.ATTR_WEBSOCKET_OPERATION_ID, conventions?.id, this.#idText(operation.key))
    set(schema.ATTR_WEBSOCKET_OPERATION_OUTCOME, undefined, outcome)
    set(schema.ATTR_ERROR_TYPE, operation.errorCode === undefined ? undefined : conventions?.error, errorType)
  }

  #idText(key: string): string {
    if (this.protocol.hashesIds === true) return hash(key)
    return (key.startsWith('"') ? key.slice(1) : key).slice(0, 64)
  }

  /** Only codes are recorded of a failure: messages are content. */
  #errorType({ outcome, errorCode }: OpenOperation): string {
    return outcome !== 'error'
      ? (outcome as string)
      : errorCode === undefined
        ? 'error'
        : this.settings.names.code(errorCode)
  }

  #nameAttributes(name: OperationName): Attributes {
    const attributes: Attributes = {
      ...this.#host.series.attributes,
      [schema.ATTR_WEBSOCKET_PROTOCOL]: this.protocol.name,
    }
    if (name.name !== undefined) attributes[schema.ATTR_WEBSOCKET_OPERATION_NAME] = name.name
    return attributes
  }

  #metricAttributes(operation: OpenOperation, name: OperationName, errorType: string | undefined): Attributes {
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

/** A scope that belongs to an operation. */
export interface OperationScoped {
  readonly operation: OpenOperation
}

/** The span of one request of a batch. The batch lasts until all of them are answered. */
class BatchedScope extends SpanHolder {
  readonly #batch: { done(): void }
  #isReleased = false

  constructor(parent: Context, span: Span | undefined, operation: OpenOperation, batch: { done(): void }) {
    super(parent, span, operation)
    this.#batch = batch
  }

  override cut(endedBy: 'disconnect' | 'shutdown' | undefined): void {
    super.cut(endedBy)
    if (this.#isReleased) return
    this.#isReleased = true
    this.#batch.done()
  }
}

function operationLink(context: SpanContext | undefined): Link | undefined {
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

function isText(value: unknown): boolean {
  return value === undefined || typeof value === 'string'
}
