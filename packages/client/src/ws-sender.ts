import type { Span } from '@opentelemetry/api'
import {
  ATTR_WEBSOCKET_MESSAGE_SEQUENCE,
  ATTR_WEBSOCKET_MESSAGE_SIZE,
  type ClientConnection,
  FlushPoller,
  jsonMember,
  setAttribute,
  textPayload,
} from '@otel-ws/core/client'
import { defersWrites, type PartialMessage, type WsMessage, type WsSender } from '@otel-ws/core/node'

/** A message of a client that has a span. */
class ClientMessage implements WsMessage<ClientSender> {
  readonly traced = true
  readonly span: Span
  readonly #connection: ClientConnection
  #isCounted = false
  #isFlushed = false

  constructor(connection: ClientConnection, span: Span) {
    this.#connection = connection
    this.span = span
  }

  isFirst(): boolean {
    return true
  }

  flushed(error?: unknown): void {
    if (error !== undefined && error !== null) this.failed(error)
    else if (this.#isCounted) this.#connection.end(this.span)
    else this.#isFlushed = true
  }

  failed(error: unknown): void {
    this.#connection.sendFailed(this.span, error)
  }

  sent(_sender: ClientSender, sequence: number): void {
    this.#isCounted = true
    setAttribute(this.span, ATTR_WEBSOCKET_MESSAGE_SEQUENCE, sequence)
    if (this.#isFlushed) this.#connection.end(this.span)
  }
}

/** What a `ws` client sends. */
export class ClientSender implements WsSender<ClientMessage> {
  partialSend: PartialMessage<ClientMessage> | undefined
  readonly #connection: ClientConnection
  readonly #socket: object
  readonly #flushPoller = new FlushPoller()
  readonly #kind: { readonly carries: boolean } | undefined

  /** @param isHostSend `send` is the method of `ws` itself: texts may carry their context */
  constructor(connection: ClientConnection, socket: object, isHostSend: boolean) {
    this.#connection = connection
    this.#socket = socket
    this.#kind = isHostSend ? undefined : { carries: false }
  }

  get terms(): unknown {
    return this.#connection.messages?.terms
  }

  get defersWrites(): boolean {
    return defersWrites(this.#socket)
  }

  get measuresSends(): boolean {
    return this.#connection.series?.recording === true
  }

  readonly onTransmitted = (error?: unknown): void => {
    if (error !== undefined && error !== null) this.#connection.series?.missed('error')
  }

  startSend(data: unknown, binary: boolean, size: number): ClientMessage | undefined {
    return this.#message(this.#connection.startSend(data, binary, size, undefined, this.#kind))
  }

  startLastFragment(fragments: PartialMessage<ClientMessage>, size: number): ClientMessage | undefined {
    const { message } = fragments
    if (message === undefined) return this.#startFragmented(fragments, size, false)
    setAttribute(message.span, ATTR_WEBSOCKET_MESSAGE_SIZE, size)
    return message
  }

  abandonFragments({ message }: PartialMessage<ClientMessage>, error?: unknown): void {
    message?.failed(error ?? new Error('closed within a message'))
  }

  injectContext(data: unknown, message: ClientMessage | undefined): unknown {
    return this.#injectInto(data, message, false)
  }

  injectIntoFirstFragment(data: unknown, fragments: PartialMessage<ClientMessage>): unknown {
    const carries = this.#connection.messages?.carries(data, fragments.binary) === true
    fragments.message ??= this.#startFragmented(fragments, 0, carries)
    return this.#injectInto(data, fragments.message, true)
  }

  countSent(binary: boolean, size: number): number {
    this.#connection.sendAccepted(undefined, binary, size)
    return this.#connection.sent
  }

  sendSkipped(data: unknown, binary: boolean, size: number): void {
    this.#connection.sendSkipped(data, binary, size)
  }

  endWhenFlushed(message: ClientMessage, buffers: { readonly bufferedAmount: number }): void {
    if (buffers.bufferedAmount === 0) message.flushed()
    else this.#flushPoller.add(buffers, () => message.flushed())
  }

  /** The connection has closed. */
  closed(): void {
    const { partialSend } = this
    this.partialSend = undefined
    if (partialSend !== undefined) this.abandonFragments(partialSend)
    this.#flushPoller.end()
  }

  #injectInto(data: unknown, message: ClientMessage | undefined, isPartial: boolean): unknown {
    const { messages } = this.#connection
    const text = textPayload(data)
    if (messages === undefined || text === undefined) return data
    const carrier = messages.carrier(message?.span)
    // Of a fragment, the place that a protocol has is not known.
    const inSlot = isPartial ? undefined : messages.intoSlot(text, carrier)
    if (inSlot !== undefined) return inSlot
    const member = jsonMember(messages.terms?.member.name)
    return member.canCarry(text) ? member.inject(data, text, carrier, isPartial) : data
  }

  /** A fragmented message has no single payload to read a name from. */
  #startFragmented(
    { binary, startedAt }: PartialMessage<ClientMessage>,
    size: number,
    carries: boolean,
  ): ClientMessage | undefined {
    return this.#message(this.#connection.startFragmentedSend(binary, size, startedAt, carries))
  }

  #message(span: Span | undefined): ClientMessage | undefined {
    return span === undefined ? undefined : new ClientMessage(this.#connection, span)
  }
}
