import { type Context, type Link, type Span, trace } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { idsOf, setAttribute } from '../api/span.ts'
import { unref } from '../context/deadlines.ts'
import { sendParentSpan } from '../context/send-parent.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import type { Carrier } from '../propagation/carrier.ts'
import type { ExtractResult } from '../propagation/carrier-text.ts'
import { AGREED_MEMBER, hasOffer, parseHello } from '../propagation/negotiation.ts'
import { createCarrier, type IncomingContext, parseCarrier, withBaggage } from '../propagation/terms.ts'
import { TextMember } from '../propagation/text-member.ts'
import { ATTR_WEBSOCKET_CONNECTION_ID } from '../schema.ts'
import { carrierRejected } from '../span/diagnostics.ts'
import { linkTo } from './link.ts'
import type { ClientOptions } from './options.ts'
import type { ClientReading, Incoming } from './reading.ts'

/** Milliseconds after the open in which the server's hello message must arrive. */
const HELLO_TIMEOUT = 2000

const OPENING_BRACE = 0x7b

/** Terms of context in messages: negotiated, or declared by the options. */
interface ClientTerms {
  readonly member: TextMember
}

const AGREED: ClientTerms = { member: /* @__PURE__ */ new TextMember(AGREED_MEMBER) }

/** The members of a connection that its context in messages uses. */
export interface MessageContextOwner {
  readonly telemetry: { readonly options: Readonly<ClientOptions> }
  readonly id: string | undefined
  readonly operations: Pick<ClientReading, 'plannedSpan' | 'writeSlot'> | undefined
  /** Messages received. */
  readonly received: number
  identify(id: string | undefined): void
  end(span: Span, endTime: number): void
}

/** Reads a carrier of another format from a text. */
type ForeignReader = (text: string | Uint8Array, name: string) => Carrier | undefined

let readForeign: ForeignReader | undefined

/** Registers the reader of carriers of other formats. A page does not contain its code. */
export function connectForeignCarriers(reader: ForeignReader): void {
  readForeign = reader
}

const warned = new Set<string>()

/** Context in the messages of a client's connection: negotiation with the server, extraction and injection. */
export class MessageContext {
  /** While `undefined`, nothing is injected into messages. */
  terms: ClientTerms | undefined
  readonly #connection: MessageContextOwner
  #incoming: IncomingContext | undefined
  #helloTimer: ReturnType<typeof setTimeout> | undefined
  /** Context was offered to the server, so that spans may have started without the connection's id. */
  readonly #hasOffered: boolean
  /** The options declare the terms, and the server has not agreed on any. */
  #isDeclared = false
  /** Ended spans that wait for the connection's id, while the server may still send it. */
  #deferred: { readonly span: Span; readonly endTime: number }[] | undefined

  constructor(connection: MessageContextOwner, url = '') {
    this.#connection = connection
    // The hello may be the first message. Until then the connection's id is unknown, and spans that end wait for it.
    this.#hasOffered = hasOffer(url)
    if (this.#hasOffered) this.#deferred = []
    const { propagation, carrierName } = connection.telemetry.options
    if (propagation === 'always') {
      this.#isDeclared = true
      this.terms = carrierName === undefined ? AGREED : { member: new TextMember(carrierName) }
    }
  }

  /** True while the server may still send the connection's id. */
  get awaitsId(): boolean {
    return this.#deferred !== undefined
  }

  /** The connection is open: waits for the hello message. */
  opened(): void {
    if (this.awaitsId) this.#helloTimer = unref(setTimeout(() => this.settleId(), HELLO_TIMEOUT))
  }

  /** The server has accepted, in its response or with its hello message. */
  acceptTerms(id: string): void {
    this.terms ??= AGREED
    this.#isDeclared = false
    this.settleId(id)
  }

  /**
   * Handles the server's hello message, which the application must not see and which is not counted.
   *
   * @returns true if the message was the hello
   */
  helloReceived(data: unknown): boolean {
    if (!this.awaitsId) return false
    const id = this.#connection.received === 0 && typeof data === 'string' ? parseHello(data) : undefined
    if (id === undefined) this.settleId()
    else this.acceptTerms(id)
    return id !== undefined
  }

  /** The connection's id is known, or will not be: this side's own id is used then. */
  settleId(id?: string): void {
    clearTimeout(this.#helloTimer)
    const deferred = this.#deferred
    this.#deferred = undefined
    this.#connection.identify(id)
    for (const { span, endTime } of deferred ?? []) this.#connection.end(span, endTime)
  }

  /** A span of the connection is about to end. Returns true if its end is deferred until the connection's id is known. */
  defersEnd(span: Span, endTime: number = Date.now()): boolean {
    if (this.#deferred !== undefined) {
      this.#deferred.push({ span, endTime })
      return true
    }
    // It may have started before the id was known.
    if (this.#hasOffered) setAttribute(span, ATTR_WEBSOCKET_CONNECTION_ID, this.#connection.id as string)
    return false
  }

  /**
   * A message event is about to be dispatched: extracts the context from its text.
   *
   * @returns false for the server's hello message, which must not be dispatched
   */
  arrived(event: { readonly data: unknown }): boolean {
    const { data } = event
    if (this.helloReceived(data)) return false
    const own = typeof data === 'string' ? this.extractContext(data) : data
    // `data` is an accessor of the prototype: an own property hides it.
    if (own !== data) Object.defineProperty(event, 'data', { value: own, configurable: true, enumerable: true })
    return true
  }

  /** Extracts the context from a received text. It is used by the next call of `take`. */
  extractContext(text: string): string {
    const found = this.terms?.member.extract(text)
    if (found?.carrier !== undefined) return this.findContext(found)
    if (!this.findForeignContext(text) && found !== undefined) return this.findContext(found)
    return text
  }

  /**
   * Looks for a carrier of another format, where the user has declared a member name, and uses it for the next call of
   * `take`. The text is left as it is. Returns true if there is one.
   */
  findForeignContext(text: string | Uint8Array): boolean {
    const name = this.terms?.member.name
    if (name === undefined || name === AGREED_MEMBER) return false
    const carrier = readForeign?.(text, name)
    if (carrier !== undefined) this.setIncomingContext(parseCarrier(carrier, undefined))
    return carrier !== undefined
  }

  /** Uses an extracted carrier for the next call of `take`, and returns the text without it. */
  findContext<T>({ payload, carrier, problem }: ExtractResult<T>): T {
    this.setIncomingContext(parseCarrier(carrier, problem))
    return payload
  }

  /** Sets the context for the next call of `take`, for hosts whose messages are not texts. */
  setIncomingContext(incoming: IncomingContext | undefined): void {
    this.#incoming = incoming
    if (incoming?.problem !== undefined) carrierRejected(warned, incoming.problem)
  }

  /**
   * The context that came with the message that is received now, used as option `remoteContext` says.
   *
   * @param active the context that its handlers would run in
   * @param links links that its span has in any case
   */
  take(active: Context, links: Link[]): Incoming | undefined {
    const incoming = this.#incoming
    if (incoming === undefined) return undefined
    this.#incoming = undefined
    const { spanContext, baggage, problem, isShared } = incoming
    const { remoteContext: trust = 'parent' } = this.#connection.telemetry.options
    const isPartner = spanContext !== undefined && trust === 'parent' && !isShared
    const own = trust === 'parent' ? withBaggage(active, baggage) : active
    const base = withoutSpan(own)
    return {
      active: own,
      parent: spanContext && trust === 'parent' ? withSpan(base, trace.wrapSpanContext(spanContext)) : base,
      links: trust === 'link' ? [...links, ...linkTo(spanContext, 'message')] : links,
      problem,
      isPartner,
      isShared,
    }
  }

  /** True if a context can go out with this payload. */
  carries(data: unknown, binary: boolean): boolean {
    if (this.terms === undefined || binary) return false
    // Only an object does, as text or as the bytes of one.
    return typeof data === 'string' ? data.startsWith('{') : (data as Uint8Array | null)?.[0] === OPENING_BRACE
  }

  /** The carrier of a message: the context of its span, else of the active span. */
  carrier(span: Span | undefined): Carrier | undefined {
    const active = activeContext()
    return createCarrier(
      idsOf(span ?? this.#connection.operations?.plannedSpan ?? sendParentSpan(active)),
      active,
      true,
    )
  }

  /** The text with a context that the server has not agreed on, where its protocol has a place for it. */
  intoSlot<T extends string | Uint8Array>(text: T, carrier: Carrier | undefined): T | undefined {
    return this.#isDeclared ? this.#connection.operations?.writeSlot(text, carrier) : undefined
  }

  /**
   * Injects the context of a message into its text.
   *
   * @param span span of the message; without one, the active span is used
   */
  injectContext(text: string, span: Span | undefined): string {
    const { terms } = this
    if (terms === undefined) return text
    const carrier = this.carrier(span)
    return this.intoSlot(text, carrier) ?? terms.member.inject(text, carrier)
  }
}
