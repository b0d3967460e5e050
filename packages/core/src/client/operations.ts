import {
  type Attributes,
  type Context,
  createNoopMeter,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  trace,
} from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { isRecording, setAttribute, setAttributes } from '../api/span.ts'
import { isUnsampled } from '../context/send-parent.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import { Detection } from '../operations/detection.ts'
import type {
  MessageReading,
  OperationHost,
  OperationSettings,
  StartedRequest,
  UnansweredRequests,
} from '../operations/host.ts'
import { OperationNames } from '../operations/operation-names.ts'
import { Operations } from '../operations/operations.ts'
import type { OperationInstruments, OperationSeries } from '../operations/recorder.ts'
import type { Carrier } from '../propagation/carrier.ts'
import { parseCarrier, textPayload } from '../propagation/terms.ts'
import { isProtocol, type Protocol } from '../protocols/protocol.ts'
import { protocolNamed, protocolOfSubprotocol } from '../protocols/registry.ts'
import { writeSlot } from '../protocols/slot.ts'
import * as schema from '../schema.ts'
import { hookFailed } from '../span/diagnostics.ts'
import type { MessageName } from '../span/names.ts'
import { callerOf } from './callers.ts'
import { clientOperationDeadlines } from './deadlines.ts'
import { linkTo } from './link.ts'
import { ClientBatchProcess, ClientOperationProcess, ClientQuietProcess } from './operation-process.ts'
import { MAX_CHILD_SPANS } from './options.ts'
import type { ClientProcess } from './process.ts'
import type { ClientOperations, ClientReading, ReadConnection, ReceivedMessage } from './reading.ts'
import { boundName } from './telemetry.ts'

const MAX_OPERATIONS = 1000

const DETECTION = /* @__PURE__ */ new Detection<ClientProcess, ReceivedMessage>()

/** Names without a rule of the application, of all clients of a process: they stay bounded over reconnects. */
let sharedNames: OperationNames | undefined
/** Names by the rule of the application. */
const namesByRule = /* @__PURE__ */ new WeakMap<object, OperationNames>()

const warned = /* @__PURE__ */ new Set<string>()

/** Instruments of clients without metrics. */
let noInstruments: OperationInstruments | undefined

const decoder = /* @__PURE__ */ new TextDecoder()

/** Connections that were lost with requests unanswered, by the id of their connect span. */
const lost = /* @__PURE__ */ new Map<string, Map<string, SpanContext>>()

/** Lost connections that are remembered. */
const MAX_LOST = 20

/** The requests that a connection leaves unanswered, for the one that replaces it. */
class Unanswered implements UnansweredRequests {
  readonly #connection: ReadConnection

  constructor(connection: ReadConnection) {
    this.#connection = connection
  }

  add(key: string, name: string | undefined, span: SpanContext): void {
    const { spanId } = this.#connection.spanContext ?? {}
    if (spanId === undefined) return
    let requests = lost.get(spanId)
    if (requests === undefined) {
      if (lost.size >= MAX_LOST) lost.delete(lost.keys().next().value as string)
      requests = new Map()
      lost.set(spanId, requests)
    }
    requests.set(`${key} ${name}`, span)
  }

  take(key: string, name: string | undefined): SpanContext | undefined {
    const { replacedSpanId } = this.#connection
    const requests = replacedSpanId === undefined ? undefined : lost.get(replacedSpanId)
    const span = requests?.get(`${key} ${name}`)
    requests?.delete(`${key} ${name}`)
    return span
  }
}

/** The operations of a client's connection. */
class ClientOperationHost implements ClientReading, OperationHost<ClientProcess, ReceivedMessage> {
  readonly #connection: ReadConnection
  readonly #withoutMetrics: OperationSeries = { attributes: {}, operations: new Map() }
  #reading: MessageReading<ClientProcess, ReceivedMessage> | undefined

  constructor(connection: ReadConnection) {
    this.#connection = connection
    const { protocol: option } = connection.telemetry.options
    const protocol = isProtocol(option)
      ? option
      : typeof option === 'string'
        ? protocolNamed(option)
        : protocolOfSubprotocol(connection.subprotocol)
    if (protocol === undefined) this.#reading = DETECTION
    else {
      this.useProtocol(protocol)
      this.protocolConfirmed(protocol)
    }
  }

  get eventName(): MessageName | undefined {
    const name = this.#reading?.eventName
    return name === undefined ? undefined : boundName(name)
  }

  get isSecret(): boolean {
    return this.#reading?.isSecret === true
  }

  get plannedSpan(): Span | undefined {
    return this.#reading?.plannedSpan
  }

  writeSlot<T extends string | Uint8Array>(text: T, carrier: Carrier | undefined): T | undefined {
    const { slot, isRequest = false } = this.#reading ?? {}
    if (slot === undefined) return undefined
    return isRequest && carrier !== undefined ? (writeSlot(text, slot, carrier) as T) : text
  }

  receive(message: ReceivedMessage): ClientProcess | undefined {
    const { data, binary, size } = message
    return this.#reading?.receive(data, binary, size, message, this)
  }

  send(data: unknown, binary: boolean, size: number): boolean {
    return this.#reading?.send(data, binary, size, this) === true
  }

  accepted(binary: boolean, size: number): void {
    const span = this.plannedSpan
    this.#reading?.accepted(size)
    if (!isRecording(span)) return
    setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_TYPE, binary ? 'binary' : 'text')
    setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_SIZE, size)
    setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_SEQUENCE, this.#connection.sent)
  }

  refused(): void {
    this.#reading?.refused()
  }

  close(): void {
    this.#reading?.close()
  }

  get route(): string | undefined {
    return this.#connection.route
  }

  get received(): number {
    return this.#connection.received
  }

  get sent(): number {
    return this.#connection.sent
  }

  get series(): OperationSeries {
    return this.#connection.series ?? this.#withoutMetrics
  }

  get instruments(): OperationInstruments {
    return this.#connection.series?.instruments ?? withoutInstruments()
  }

  textOf(data: unknown, start: number, end: number): string {
    if (typeof data === 'string') return start === 0 ? data.slice(0, end) : data.slice(start - end)
    const bytes = textPayload(data)
    return bytes instanceof Uint8Array ? decoder.decode(bytes.subarray(start, end)) : ''
  }

  useProtocol(
    protocol: Protocol | undefined,
    isConfirmed = true,
  ): MessageReading<ClientProcess, ReceivedMessage> | undefined {
    this.#reading = protocol && new Operations(this, protocol, settingsOf(this.#connection), isConfirmed)
    // Without one, nothing more is read.
    if (protocol === undefined) this.#connection.operations = undefined
    return this.#reading
  }

  protocolConfirmed(protocol: Protocol): void {
    this.#connection.setAttributes({ [schema.ATTR_WEBSOCKET_PROTOCOL]: protocol.name })
  }

  traces(direction: 'receive' | 'send'): boolean {
    const { tracer, options } = this.#connection.telemetry
    return tracer !== undefined && options.messages !== false && (direction === 'receive' || options.outgoing !== false)
  }

  startOperationSpan(
    name: string,
    kind: SpanKind,
    attributes: Attributes,
    parent: Context | undefined,
    link?: Link,
  ): Span | undefined {
    if (isUnsampled(parent)) return undefined
    const { links } = this.#connection
    const own = [...(parent === undefined ? links : []), ...(link === undefined ? [] : [link])]
    const span = this.#connection.startSpan(name, kind, parent ?? withoutSpan(activeContext()), own)
    setAttributes(span, attributes)
    return span
  }

  startOperation(message: ReceivedMessage, request: StartedRequest): ClientOperationProcess {
    const { spanName, attributes, operation } = request
    const { active, span, name } = this.#start(message, spanName, SpanKind.SERVER, attributes, request)
    const connection = this.#connection
    return new ClientOperationProcess(connection, connection.series, name, active, span).begin(operation)
  }

  startBatch(message: ReceivedMessage, attributes: Attributes): ClientBatchProcess {
    const { active, span, name } = this.#start(message, 'process batch', SpanKind.INTERNAL, attributes)
    return new ClientBatchProcess(this.#connection, this.#connection.series, name, active, span)
  }

  startQuiet(parent: Context | undefined, settled?: () => void, isMeasured = false): ClientProcess {
    const connection = this.#connection
    const active = parent ?? withoutSpan(activeContext())
    const { series, unnamed } = connection
    return new ClientQuietProcess(connection, series, unnamed, active, undefined).begin(settled, isMeasured)
  }

  /** The span of what a client serves lasts until its answer is handed to the socket. */
  readonly isFlushed = true

  whenFlushed(callback: () => void): void {
    callback()
  }

  protocolFailed(error: unknown): void {
    hookFailed(warned, 'protocol', error)
  }

  #start(
    { data, binary, size, incoming }: ReceivedMessage,
    spanName: string,
    kind: SpanKind,
    attributes: Attributes,
    request?: StartedRequest,
  ): { active: Context; span: Span | undefined; name: MessageName } {
    const connection = this.#connection
    const name = connection.nameOf(data, binary)
    const active = incoming?.active ?? activeContext()
    let parent = incoming?.parent ?? withoutSpan(active)
    let links = incoming?.links ?? connection.links
    const { remoteContext: trust = 'parent' } = connection.telemetry.options
    if (incoming === undefined && request?.carrier !== undefined) {
      const { spanContext } = parseCarrier(request.carrier, undefined)
      if (spanContext !== undefined && trust === 'parent') parent = withSpan(parent, trace.wrapSpanContext(spanContext))
      else if (trust === 'link') links = [...links, ...linkTo(spanContext, 'message')]
    }
    const span = this.traces('receive') ? connection.startSpan(spanName, kind, parent, links) : undefined
    if (isRecording(span)) {
      connection.describe(span, name, 'receive', data, binary, size, connection.received)
      setAttributes(span, attributes)
    }
    return { active, span, name }
  }
}

function settingsOf(connection: ReadConnection): OperationSettings {
  const { operationNames, streamItems = false, maxChildSpans = MAX_CHILD_SPANS } = connection.telemetry.options
  return {
    names: namesOf(operationNames),
    deadlines: clientOperationDeadlines(),
    maxOperations: MAX_OPERATIONS,
    streamItems,
    maxChildSpans,
    unanswered: new Unanswered(connection),
    callerOf,
  }
}

function namesOf(rule: ReadConnection['telemetry']['options']['operationNames']): OperationNames {
  if (rule === undefined) {
    sharedNames ??= new OperationNames(undefined)
    return sharedNames
  }
  let names = namesByRule.get(rule)
  if (names === undefined) {
    names = new OperationNames(rule)
    namesByRule.set(rule, names)
  }
  return names
}

function withoutInstruments(): OperationInstruments {
  if (noInstruments === undefined) {
    const histogram = createNoopMeter().createHistogram('')
    noInstruments = {
      recording: false,
      operationDuration: histogram,
      operationItems: histogram,
      streamFirstItem: histogram,
      streamDuration: histogram,
    }
  }
  return noInstruments
}

/**
 * Reads the messages of clients as operations of a protocol, for option `operations`. In Node it does so by itself; a page
 * that does not use it does not carry it.
 */
export const clientOperations: ClientOperations = (connection) =>
  connection.telemetry.options.protocol === false ? undefined : new ClientOperationHost(connection)
