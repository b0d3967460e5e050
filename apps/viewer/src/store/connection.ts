import {
  type Attribute,
  type AttributeValue,
  numberAttribute,
  type Span,
  type SpanLink,
  textAttribute,
} from '../model.ts'
import * as names from '../names.ts'
import { isUsualClose } from './failure.ts'
import { isOfClient, type Operation } from './operation.ts'

/** Bytes from which a connection counts as a slow consumer: the default of the option `slowConsumerBytes`. */
const slowConsumerBytes = 1024 * 1024

export type Direction = 'received' | 'sent'
export type ConnectionState = 'open' | 'closed' | 'rejected' | 'abandoned' | 'failed'

/** Ids are 16 characters; a record outlives its spans, so what it holds must be small whatever was sent. */
export const longestId = 128
const longestText = 256

type SpanAddress = Pick<SpanLink, 'traceId' | 'spanId'>

/** What is known of one connection, from its spans. */
export interface Connection {
  readonly id: string
  /** Whether only the client's end has recorded it; once the server's has, that is what counts. */
  ofClient: boolean
  service: string
  instance: string
  route: string
  subprotocol: string
  /** Route of the connection that carries it, where it is one within another. */
  carrier: string
  /** What carries it, of hosts that have several transports: the last that was recorded. */
  transport: string
  peer: string
  /** Id of the user, as the application has set it. */
  user: string
  state: ConnectionState
  /** Epoch milliseconds; `opened` is that of the first span where the handshake was not seen. */
  opened: number
  openedSeen: boolean
  closed: number
  lastSeen: number
  /** HTTP status of the handshake; 0 when unknown. */
  status: number
  /** The highest sequence numbers seen while it is open, the totals of the close record afterwards. */
  received: number
  sent: number
  /** Sizes of the messages seen while it is open, the totals of the close record afterwards. */
  bytesReceived: number
  bytesSent: number
  /** Seconds and bytes, as last recorded; undefined when no span says. */
  rtt: number | undefined
  buffered: number | undefined
  errors: number
  closeCode: number | undefined
  closeCategory: string
  closeInitiator: string
  closeReason: string
  errorType: string
  /** The client's attempt that opened it, and the attempt that opened the one it replaces. */
  connect: SpanAddress | undefined
  replaces: SpanAddress | undefined
  /** Messages of spans that say that they were not delivered. */
  undelivered: number
  /** By direction: spans of messages that were dropped to make room, and the highest sequence number among them. */
  readonly evicted: Readonly<Record<Direction, { count: number; highest: number }>>
  /** The last value of each attribute that its spans carry, at most 32 of them, without those of single messages. */
  readonly attributes: Map<string, AttributeValue>
  /** Spans of the connection that are still kept, with their number in order of arrival. */
  readonly marks: Map<Span, number>
  nextMark: number
}

/** Whether the attempt to connect came to nothing. */
export function neverOpened(state: ConnectionState): boolean {
  return state === 'rejected' || state === 'abandoned' || state === 'failed'
}

/** Whether more waits to be sent to an open connection than a peer that reads would leave. */
export function isSlowConsumer({ state, buffered }: Connection): boolean {
  return state === 'open' && buffered !== undefined && buffered >= slowConsumerBytes
}

/** Whether the connection ended other than by an ordinary close. */
export function wasDropped(connection: Connection): boolean {
  return connection.state === 'closed' && !isUsualClose(connection.closeCategory)
}

/** Id of the record that a span belongs to; empty when it belongs to none. */
export function idOf(span: Span, operation: Operation): string {
  if (operation === '') return ''
  const id = textAttribute(span.attributes, names.CONNECTION_ID)
  if (id !== '' || operation !== 'handshake') return id
  // What was turned away has no connection and so no id, and is one of the first things that people look for.
  const outcome = textAttribute(span.attributes, names.HANDSHAKE_OUTCOME)
  return outcome === 'rejected' || outcome === 'abandoned' ? span.spanId : ''
}

export function create(id: string, span: Span): Connection {
  return {
    id,
    ...blank(span),
    errors: 0,
    undelivered: 0,
    evicted: { received: { count: 0, highest: 0 }, sent: { count: 0, highest: 0 } },
    attributes: new Map(),
    connect: undefined,
    replaces: undefined,
    marks: new Map(),
    nextMark: 0,
  }
}

/** What one end knows of a connection, before its first span. */
function blank(span: Span) {
  return {
    ofClient: isOfClient(span),
    service: span.resource.service,
    instance: span.resource.instance,
    route: '',
    carrier: '',
    subprotocol: '',
    transport: '',
    peer: '',
    user: '',
    state: 'open' as ConnectionState,
    opened: span.start,
    openedSeen: false,
    closed: 0,
    lastSeen: 0,
    status: 0,
    received: 0,
    sent: 0,
    bytesReceived: 0,
    bytesSent: 0,
    rtt: undefined,
    buffered: undefined,
    closeCode: undefined,
    closeCategory: '',
    closeInitiator: '',
    closeReason: '',
    errorType: '',
  }
}

export function update(connection: Connection, span: Span, operation: Operation, parent: Span | undefined): void {
  const { attributes, resource } = span
  const end = span.start + span.duration
  connection.marks.set(span, connection.nextMark++)
  if (span.error) connection.errors++
  if (textAttribute(attributes, names.UNDELIVERED_REASON) !== '') connection.undelivered++
  if (operation === 'connect') noteConnect(connection, span)
  // The other end may record its side under the same id: it is drawn, and counted only once. The server's counts.
  if (connection.ofClient && !isOfClient(span)) Object.assign(connection, blank(span))
  if (operation === 'handshake') connection.service = resource.service
  if (isOtherEnd(connection, span)) return
  connection.lastSeen = Math.max(connection.lastSeen, end)
  connection.instance = resource.instance
  connection.route ||= shortText(attributes, names.ROUTE) || shortText(attributes, names.NAMESPACE)
  connection.subprotocol ||= shortText(attributes, names.SUBPROTOCOL)
  connection.transport = shortText(attributes, names.TRANSPORT) || connection.transport
  connection.user = shortText(attributes, names.USER_ID) || connection.user
  connection.rtt = numberAttribute(attributes, names.PING_RTT) ?? connection.rtt
  connection.buffered = numberAttribute(attributes, names.SEND_BUFFERED) ?? connection.buffered
  noteAttributes(connection, attributes)
  if (!connection.openedSeen) connection.opened = Math.min(connection.opened, span.start)
  if (operation === 'handshake' || operation === 'connect') openConnection(connection, span, parent)
  else if (operation === 'process') countMessage(connection, span, 'received')
  else if (operation === 'send') countMessage(connection, span, 'sent')
  if (operation === 'close' || operation === 'connection') closeConnection(connection, span)
}

/** Whether a span is of the end of the connection that its record is not about. */
export function isOtherEnd(connection: Connection, span: Span): boolean {
  return isOfClient(span) !== connection.ofClient || span.resource.service !== connection.service
}

/** Attributes that say something of one message or one run, and nothing of the connection. */
const passing =
  /^(websocket\.(message|ack|stream|broadcast|operation|link|span|process|send)\.|code\.|exception\.|error\.)/
const mostAttributes = 32

function noteAttributes({ attributes: known }: Connection, attributes: readonly Attribute[]): void {
  for (const [key, value] of attributes) {
    if (passing.test(key) || (typeof value === 'string' && value.length > longestText)) continue
    if (known.has(key) || known.size < mostAttributes) known.set(key, value)
  }
}

/** Notes that a span of the connection is no longer kept. */
export function forget(connection: Connection, span: Span, operation: Operation): void {
  connection.marks.delete(span)
  const direction = directionOf(operation)
  if (direction === undefined || isOtherEnd(connection, span)) return
  const evicted = connection.evicted[direction]
  evicted.count++
  evicted.highest = Math.max(evicted.highest, numberAttribute(span.attributes, names.MESSAGE_SEQUENCE) ?? 0)
}

/** The direction of the message that a span of a connection is about; undefined for those that are about none. */
export function directionOf(operation: Operation): Direction | undefined {
  if (operation === 'process') return 'received'
  return operation === 'send' ? 'sent' : undefined
}

function noteConnect(connection: Connection, { traceId, spanId, links }: Span): void {
  connection.connect = { traceId, spanId }
  const previous = links.find((link) => textAttribute(link.attributes, names.LINK_KIND) === 'previous')
  if (previous !== undefined) connection.replaces = previous
}

function openConnection(connection: Connection, span: Span, parent: Span | undefined): void {
  const { attributes } = span
  connection.opened = span.start + span.duration
  connection.openedSeen = true
  connection.status = numberAttribute(attributes, names.HTTP_STATUS) ?? 0
  // A connection within another, as a namespace of Socket.IO is, has the peer of the one that carries it.
  const carrier = parent?.attributes ?? []
  connection.peer = peerOf(attributes) || peerOf(carrier)
  connection.carrier = shortText(carrier, names.ROUTE)
  const outcome = shortText(attributes, names.HANDSHAKE_OUTCOME)
  if (outcome !== 'rejected' && outcome !== 'abandoned' && outcome !== 'failed') return
  connection.state = outcome
  connection.closed = connection.opened
  connection.errorType = shortText(attributes, names.ERROR_TYPE)
}

function peerOf(attributes: readonly Attribute[]): string {
  const address = shortText(attributes, names.CLIENT_ADDRESS)
  const port = shortText(attributes, names.CLIENT_PORT)
  if (address === '' || port === '') return address
  return address.includes(':') ? `[${address}]:${port}` : `${address}:${port}`
}

function countMessage(connection: Connection, span: Span, direction: 'received' | 'sent'): void {
  // After the close its totals stand; a handler that ends later has been counted there.
  if (connection.state !== 'open') return
  const sequence = numberAttribute(span.attributes, names.MESSAGE_SEQUENCE) ?? connection[direction] + 1
  const size = numberAttribute(span.attributes, names.MESSAGE_SIZE) ?? 0
  connection[direction] = Math.max(connection[direction], sequence)
  if (direction === 'received') connection.bytesReceived += size
  else connection.bytesSent += size
}

function closeConnection(connection: Connection, span: Span): void {
  const { attributes } = span
  const category = shortText(attributes, names.CLOSE_CATEGORY)
  // A segment of a long connection ends without one, and the connection goes on.
  if (category === '') return
  connection.state = 'closed'
  connection.closed = span.start + span.duration
  connection.closeCategory = category
  connection.closeCode = numberAttribute(attributes, names.CLOSE_CODE)
  connection.closeInitiator = shortText(attributes, names.CLOSE_INITIATOR)
  connection.closeReason = shortText(attributes, names.CLOSE_REASON)
  connection.errorType = shortText(attributes, names.ERROR_TYPE)
  connection.received = numberAttribute(attributes, names.MESSAGES_RECEIVED) ?? connection.received
  connection.sent = numberAttribute(attributes, names.MESSAGES_SENT) ?? connection.sent
  connection.bytesReceived = numberAttribute(attributes, names.BYTES_RECEIVED) ?? connection.bytesReceived
  connection.bytesSent = numberAttribute(attributes, names.BYTES_SENT) ?? connection.bytesSent
  const seconds = numberAttribute(attributes, names.CONNECTION_DURATION)
  if (!connection.openedSeen && seconds !== undefined) {
    connection.opened = connection.closed - seconds * 1000
    connection.openedSeen = true
  }
}

function shortText(attributes: readonly Attribute[], key: string): string {
  return textAttribute(attributes, key).slice(0, longestText)
}
