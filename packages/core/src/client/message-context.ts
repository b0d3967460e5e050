import { type Context, context, type Link, type Span, trace } from '@opentelemetry/api'
import { unref } from '../context/deadlines.ts'
import { sendParentSpan } from '../context/send-parent.ts'
import { withoutSpan, withSpan } from '../context/span-scope.ts'
import type { Carrier } from '../propagation/carrier.ts'
import type { ExtractResult } from '../propagation/carrier-text.ts'
import { AGREED_MEMBER, hasOffer, parseHello } from '../propagation/negotiation.ts'
import { createCarrier, type IncomingContext, parseCarrier, withBaggage } from '../propagation/terms.ts'
import { TextMember } from '../propagation/text-member.ts'
import { ATTR_WEBSOCKET_CONNECTION_ID } from '../schema.ts'
import { carrierRefused } from '../span/diagnostics.ts'
import type { ClientConnection } from './connection.ts'
import { linkTo } from './link.ts'

/** Milliseconds after the open for which spans wait for the hello of a server that was asked for one. */
const HELLO_TIMEOUT = 2000

/** What both ends have agreed on, or the user has declared. */
interface ClientAgreement {
  readonly member: TextMember
}

const AGREED: ClientAgreement = { member: /* @__PURE__ */ new TextMember(AGREED_MEMBER) }

/** What came in with a message. */
export interface Incoming {
  /** The context that the handlers run in, but for their span. */
  readonly active: Context
  /** The context that their span is started in. */
  readonly parent: Context
  readonly links: Link[]
  readonly problem: IncomingContext['problem']
}

const told = new Set<string>()

/** Context in the messages of a client's connection: what it has agreed on with the server, and what comes in and goes out. */
export class MessageContext {
  /** `undefined` while nothing is put into messages. */
  terms: ClientAgreement | undefined
  readonly #connection: ClientConnection
  #inBand: IncomingContext | undefined
  #patience: ReturnType<typeof setTimeout> | undefined
  /** The server was asked for the connection's id, so that spans may have started without it. */
  readonly #wasAsked: boolean
  /** Spans that are over and wait for the connection's id, while the server has been asked for it and may answer. */
  #parked: { readonly span: Span; readonly endTime: number }[] | undefined

  constructor(connection: ClientConnection, url = '') {
    this.#connection = connection
    // The hello may be the first message. Until then nobody knows the connection's id, so spans that end wait for it.
    this.#wasAsked = hasOffer(url)
    if (this.#wasAsked) this.#parked = []
    const { propagation, carrierName } = connection.telemetry.options
    if (propagation === 'always') {
      this.terms = carrierName === undefined ? AGREED : { member: new TextMember(carrierName) }
    }
  }

  /** True while the server may yet tell the connection's id. */
  get awaitsId(): boolean {
    return this.#parked !== undefined
  }

  /** The connection is open: the hello comes soon, or never. */
  opened(): void {
    if (this.awaitsId) this.#patience = unref(setTimeout(() => this.settleId(), HELLO_TIMEOUT))
  }

  /** The server agrees, in its answer or with its hello. */
  acceptTerms(id: string): void {
    this.terms ??= AGREED
    this.settleId(id)
  }

  /**
   * Takes the server's hello, when a message is that. It is none of the application's, and counts for nothing.
   *
   * @returns true when it was
   */
  helloReceived(data: unknown): boolean {
    if (!this.awaitsId) return false
    const id = this.#connection.received === 0 && typeof data === 'string' ? parseHello(data) : undefined
    if (id === undefined) this.settleId()
    else this.acceptTerms(id)
    return id !== undefined
  }

  /** The connection's id is known, or will not be told: one of our own does then. */
  settleId(id?: string): void {
    clearTimeout(this.#patience)
    const parked = this.#parked
    this.#parked = undefined
    this.#connection.identify(id)
    for (const { span, endTime } of parked ?? []) this.#connection.end(span, endTime)
  }

  /** A span of the connection is about to end; true when it has to wait for the connection's id. */
  defersEnd(span: Span, endTime: number = Date.now()): boolean {
    if (this.#parked !== undefined) {
      this.#parked.push({ span, endTime })
      return true
    }
    // It may have started before the id was known.
    if (this.#wasAsked) span.setAttribute(ATTR_WEBSOCKET_CONNECTION_ID, this.#connection.id as string)
    return false
  }

  /**
   * An event is about to be dispatched that tells of a message: takes the context out of its text.
   *
   * @returns false for the server's hello, which is none of the application's
   */
  arrived(event: { readonly data: unknown }): boolean {
    const { data } = event
    if (this.helloReceived(data)) return false
    const own = typeof data === 'string' ? this.extractContext(data) : data
    // An event's data is a property of its prototype: one of the event's own stands in front of it.
    if (own !== data) Object.defineProperty(event, 'data', { value: own, configurable: true, enumerable: true })
    return true
  }

  /** Takes the context out of a text that arrived. What came in belongs to the next message that is received. */
  extractContext(text: string): string {
    const found = this.terms?.member.extract(text)
    return found === undefined ? text : this.findContext(found)
  }

  /** Takes what was found at the front of a text, and returns the text without it. */
  findContext<T>({ payload, carrier, problem }: ExtractResult<T>): T {
    this.setIncomingContext(parseCarrier(carrier, problem))
    return payload
  }

  /** What came in with a message. For hosts whose messages are no texts. */
  setIncomingContext(inBand: IncomingContext | undefined): void {
    this.#inBand = inBand
    if (inBand?.problem !== undefined) carrierRefused(told, inBand.problem)
  }

  /**
   * What came in with the message that is received now, as far as the server is trusted.
   *
   * @param active the context that its handlers would run in
   * @param links those that its span has anyway
   */
  take(active: Context, links: Link[]): Incoming | undefined {
    const inBand = this.#inBand
    if (inBand === undefined) return undefined
    this.#inBand = undefined
    const { spanContext, baggage, problem } = inBand
    const { remoteContext: trust = 'parent' } = this.#connection.telemetry.options
    const own = trust === 'parent' ? withBaggage(active, baggage) : active
    const base = withoutSpan(own)
    return {
      active: own,
      parent: spanContext && trust === 'parent' ? withSpan(base, trace.wrapSpanContext(spanContext)) : base,
      links: trust === 'link' ? [...links, ...linkTo(spanContext, 'message')] : links,
      problem,
    }
  }

  /** What a message carries: the context of its span, else of the span that is active. */
  carrier(span: Span | undefined): Carrier | undefined {
    const active = context.active()
    return createCarrier((span ?? sendParentSpan(active))?.spanContext(), active, true)
  }

  /**
   * Puts the context of a message into its text.
   *
   * @param span of the message; without one the context is that of the span that is active
   */
  injectContext(text: string, span: Span | undefined): string {
    return this.terms === undefined ? text : this.terms.member.inject(text, this.carrier(span))
  }
}
