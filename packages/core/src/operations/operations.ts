import { type Attributes, type Context, type Link, type Span, SpanKind } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { idsOf } from '../api/span.ts'
import { adoptsOneMore, sendParent } from '../context/send-parent.ts'
import { spanOf, spanScopeOf, withoutSpan } from '../context/span-scope.ts'
import type { Protocol, ProtocolRecord } from '../protocols/protocol.ts'
import * as schema from '../schema.ts'
import { causeLinks } from '../span/links.ts'
import type { MessageReading, OperationHost, OperationSettings } from './host.ts'
import { OpenOperation, type OperationOwner, type OperationScope, SpanHolder } from './open-operation.ts'
import type { OperationName } from './operation-names.ts'
import { OperationTable } from './operation-table.ts'
import { OperationTelemetry, operationLink } from './operation-telemetry.ts'
import { RecordReader } from './record-reader.ts'
import { countOpen } from './recorder.ts'

/** A message that is sent and is not recorded as any message. */
export interface PlannedSend {
  /** Its span, which ends with the operation. */
  readonly span: Span | undefined
}

const SILENT: PlannedSend = { span: undefined }

interface Pending {
  readonly operation: OpenOperation
  readonly record: ProtocolRecord
}

/** Never changed: it is replaced by the first one. */
const NONE_PENDING: Pending[] = []

/** Messages of another form that this end may send before a guessed protocol is given up. */
const MAX_MISSES = 5

/** The operations of one connection, in both directions. */
export class Operations<P, M> implements OperationOwner, MessageReading<P, M> {
  readonly protocol: Protocol
  readonly settings: OperationSettings
  /** Name of the event that was read last, for the message's span. */
  eventName: string | undefined
  plannedSpan: Span | undefined
  isRequest = false
  readonly #host: OperationHost<P, M>
  readonly #asked: OperationTable
  readonly #served: OperationTable
  readonly #reader: RecordReader
  readonly #telemetry: OperationTelemetry
  /** The request that is being sent. */
  #planned: OpenOperation | undefined
  /** What the message that is being sent does to operations. */
  #pending: Pending[] = NONE_PENDING
  #isConfirmed: boolean
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
    this.#reader = new RecordReader(protocol, host, this.#state)
    this.#telemetry = new OperationTelemetry(host, protocol, settings.names)
  }

  get isSecret(): boolean {
    return this.#reader.isSecret
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
    this.#pending = NONE_PENDING
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
    this.#pending = NONE_PENDING
    for (const { operation, record } of pending) this.#apply(operation, record, size, true)
  }

  refused(): void {
    this.#pending = NONE_PENDING
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
    this.#isConfirmed = records.length > 0 && this.#reader.isRecognized
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
    this.#telemetry.answered(operation, span)
  }

  describe(operation: OpenOperation, span: Span): void {
    this.#telemetry.describe(operation, span)
  }

  firstItem(operation: OpenOperation): void {
    this.#telemetry.firstItem(operation)
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
    this.#telemetry.streamEnded(operation)
  }

  get isFlushed(): boolean {
    return this.#host.isFlushed
  }

  whenFlushed(callback: () => void): void {
    this.#host.whenFlushed(callback)
  }

  #read(data: unknown, binary: boolean, size: number, isSent: boolean): readonly ProtocolRecord[] {
    this.eventName = undefined
    return this.#reader.read(data, binary, size, isSent, isSent && !this.#isConfirmed)
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
          carrier: this.#reader.carrier(),
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
        const cause = caller === undefined && isBatch ? undefined : sendParent(caller ?? active)
        const isTraced = this.#host.traces('send')
        const isAdopted =
          !isTraced || cause === undefined || adoptsOneMore(caller ?? active, this.settings.maxChildSpans)
        const parent = isAdopted ? cause : undefined
        const span = isTraced
          ? this.#host.startOperationSpan(
              this.#startName(operation).send,
              SpanKind.CLIENT,
              this.#startAttributes(operation),
              parent,
              this.#previous(operation) ?? causeLinks(idsOf(cause && !isAdopted ? spanOf(cause) : undefined))[0],
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
        if (this.#pending.length === 0) this.#pending = [{ operation, record }]
        else this.#pending.push({ operation, record })
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

  #startName(operation: OpenOperation): OperationName {
    return this.#isConfirmed ? this.#telemetry.startName(operation) : this.#telemetry.unconfirmedName()
  }

  #startAttributes(operation: OpenOperation): Attributes {
    return this.#isConfirmed ? this.#telemetry.startAttributes(operation) : {}
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
    this.#telemetry.pingAnswered(this.#pingAt)
    this.#pingAt = 0
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
