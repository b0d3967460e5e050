import {
  type Attributes,
  type AttributeValue,
  type Context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  type SpanOptions,
  TraceFlags,
  trace,
} from '@opentelemetry/api'
import { idsOf, setAttributes } from '../api/span.ts'
import type { NetworkTransport } from '../close/attributes.ts'
import { spanOf, withoutSpan, withSpan } from '../context/span-scope.ts'
import type { Series } from '../metrics/series.ts'
import type { ResolvedOptions } from '../options/resolve.ts'
import * as schema from '../schema.ts'
import type { KeepCause } from '../services/keeper.ts'
import { SpanBudget } from '../services/span-budget.ts'
import type { MessageName } from '../span/names.ts'
import { randomId } from '../span/random-id.ts'
import { overBudgetIn, parentOverBudget, unsampledIn } from '../span/unsampled.ts'
import { type HandshakeIds, isSampled, packIds, unpackIds } from './handshake-ids.ts'
import { RareState } from './rare-state.ts'
import type { Segment } from './segment.ts'
import type { ConnectionServices } from './services.ts'
import { SpanCounts } from './span-counts.ts'

/** Facts of a connection that are known when it opens and do not change. */
export interface ConnectionFacts {
  readonly route?: string | undefined
  readonly subprotocol?: string | undefined
  readonly namespace?: string | undefined
  /** The name of the namespace if `namespace` is a pattern: it is recorded on spans and not in metrics. */
  readonly namespaceName?: string | undefined
  /** The application's attributes, of option `connectionAttributes`. */
  readonly attributes?: Attributes | undefined
  /** The host library's own id, recorded with option `sessionId`. */
  readonly sessionId?: string | undefined
}

let keys = 0

/** Span options that all messages of a connection share: created at its first message and reused. */
class MessageState {
  readonly attributes: Attributes
  /** Options of process spans that start a trace. */
  readonly root: SpanOptions
  /** Options of process spans whose parent came with the message. */
  readonly child: SpanOptions
  unsampled: Span | undefined
  overBudget: Span | undefined
  budget: SpanBudget | undefined
  readonly counts: SpanCounts
  /** Number of the connection, for tables of connections. */
  readonly key: number

  constructor(attributes: Attributes, links: Link[], before: MessageState | undefined, options: ResolvedOptions) {
    this.attributes = attributes
    this.counts = before?.counts ?? new SpanCounts()
    this.budget = before?.budget
    this.key = before?.key ?? ++keys
    const isMessaging = options.spanKinds === 'messaging'
    this.root = { kind: isMessaging ? SpanKind.CONSUMER : SpanKind.INTERNAL, attributes, links }
    // Service graphs look for the partner of a CONSUMER span among its links, if it has any. A sampler may need the link.
    const isLinked = isMessaging || options.messageSampling === 'connection'
    this.child = isLinked ? { ...this.root, kind: SpanKind.CONSUMER } : { kind: SpanKind.CONSUMER, attributes }
  }
}

const HANDSHAKE_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'handshake' }

/**
 * The attributes, links and limits that the spans of one connection have in common. A connection is one object: the
 * classes from here to `Connection` are its layers, each in its own file. Their private methods are `private` and not
 * `#private`, which would cost each connection a field for each of the classes.
 */
export abstract class ConnectionIdentity {
  readonly services: ConnectionServices
  readonly series: Series
  protected readonly socket: unknown
  protected segment: Segment | undefined
  protected rare: RareState | undefined
  readonly #handshake: HandshakeIds | undefined
  #id: string | undefined
  #messages: MessageState | undefined

  constructor(
    services: ConnectionServices,
    socket: unknown,
    facts: ConnectionFacts,
    handshake: SpanContext | undefined,
  ) {
    this.services = services
    this.socket = socket
    this.#handshake = handshake && packIds(handshake)
    const { attributes } = facts
    const onMetrics = attributes && services.metricAttributes(attributes)
    this.series = services.metrics.series(facts.route, facts.namespace, facts.subprotocol, onMetrics)
    if (attributes !== undefined) this.setAttributes(attributes)
    if (facts.namespaceName !== undefined) this.setAttribute(schema.ATTR_WEBSOCKET_NAMESPACE, facts.namespaceName)
    if (services.options.sessionId && facts.sessionId !== undefined) {
      this.setAttribute(schema.ATTR_WEBSOCKET_SESSION_ID, facts.sessionId)
    }
  }

  /** 16 hex digits. Drawn at the first read: without an SDK it is never needed. */
  get id(): string {
    this.#id ??= randomId()
    return this.#id
  }

  get route(): string | undefined {
    return this.series.route
  }

  get subprotocol(): string | undefined {
    return this.series.attributes[schema.ATTR_WEBSOCKET_SUBPROTOCOL] as string | undefined
  }

  get networkTransport(): NetworkTransport {
    return this.rare?.networkTransport ?? 'tcp'
  }

  /** The connection has ended, and was not meant to. Known with option `keep` alone. */
  get endedAbnormally(): boolean {
    return this.rare?.endedAbnormally === true
  }

  /** Sets the transport of a connection that is not over TCP. */
  setNetworkTransport(transport: NetworkTransport): void {
    this.rareState().networkTransport = transport
  }

  /** Attributes of every span of the connection. They are kept from its first message on. */
  identity(): Attributes {
    return this.#messages?.attributes ?? { [schema.ATTR_WEBSOCKET_CONNECTION_ID]: this.id, ...this.series.attributes }
  }

  setAttribute(key: string, value: AttributeValue): void {
    this.setAttributes({ [key]: value })
  }

  setAttributes(attributes: Attributes): void {
    // A new object, because spans may hold the present one.
    const all = { ...this.identity(), ...attributes }
    this.#messages = new MessageState(all, this.handshakeLinks(), this.#messages, this.services.options)
    setAttributes(this.segment?.span, attributes)
  }

  /**
   * Takes one span from the budgets of the connection and the process, for a trace that starts with a message of this name;
   * false if one of them is used up. Call `giveBack` if the sampler then leaves it out.
   */
  takeRoot({ key }: Pick<MessageName, 'key'>): boolean {
    const { budget, options } = this.services
    if (budget === undefined && options.maxMessageSpansPerSecond === Number.POSITIVE_INFINITY) return true
    const now = performance.now()
    if (!this.takeOwn(now)) return false
    if (budget === undefined || budget.take(key, this.messageState().key, now)) return true
    this.#messages?.budget?.giveBack()
    this.rareState().droppedSpans++
    this.series.droppedByProcess++
    return false
  }

  /** The sampler has left out the message that `takeRoot` was called for. */
  giveBack(): void {
    this.services.budget?.giveBack()
    this.#messages?.budget?.giveBack()
  }

  /**
   * Takes one span from the connection's budget, for a message that is part of a trace; false if it is used up.
   *
   * @param isOwnTrace the trace was started here, and its budget is charged
   */
  takeInside(isOwnTrace: boolean): boolean {
    if (!this.takeOwn(performance.now())) return false
    if (isOwnTrace) this.services.budget?.chargeInside()
    return true
  }

  /**
   * True if a message may ask the sampler.
   *
   * @param hasParent the span has a parent, whose decision samplers follow: it takes no trace from others
   */
  protected mayAsk(hasParent: boolean): boolean {
    const { asks } = this.services
    return asks === undefined || hasParent || asks.take(performance.now())
  }

  /** A segment of the connection span has reached its limit or ends at shutdown. After a limit the next one starts. */
  segmentEnded(segment: Segment, endedBy?: 'age' | 'shutdown'): void {
    if (this.segment !== segment) return
    this.segment = endedBy === 'shutdown' ? undefined : segment.next(this.handshakeLinks())
    segment.end(endedBy)
  }

  /**
   * Starts the span of a message that was not sampled and is kept, in the trace of its context; `undefined` if there are too
   * many, or the SDK does not sample them.
   */
  startKept(
    name: string,
    { reason, type, subject }: KeepCause,
    now: number,
    options: SpanOptions,
    active: Context,
  ): Span | undefined {
    const { keeper } = this.services
    if (keeper === undefined) return undefined
    if (!keeper.reserve.admit(subject ?? this.route, type, now)) {
      if (keeper.isImplied) return undefined
      this.rareState().droppedSpans++
      this.series.droppedByKeep++
      return undefined
    }
    const parent = keeper.isImplied ? this.askedLate(active) : active
    if (parent === undefined) return undefined
    const attributes = { ...this.identity(), [schema.ATTR_WEBSOCKET_KEEP_REASON]: reason }
    const span = keeper.start(name, { ...options, attributes, links: this.handshakeLinks() }, parent)
    if (span !== undefined) this.messageState().counts.kept()
    return span
  }

  /** The context in which the sampler decides on a message that was over a budget; `undefined` if it must not be asked. */
  private askedLate(active: Context): Context | undefined {
    const parent = parentOverBudget(spanOf(active))
    if (!this.mayAsk(parent !== undefined)) return undefined
    const base = withoutSpan(active)
    return parent === undefined ? base : withSpan(base, trace.wrapSpanContext(parent))
  }

  private takeOwn(now: number): boolean {
    const limit = this.services.options.maxMessageSpansPerSecond
    if (limit === Number.POSITIVE_INFINITY) return true
    const state = this.messageState()
    state.budget ??= new SpanBudget(limit, now)
    if (state.budget.take(now)) return true
    this.rareState().droppedSpans++
    this.series.droppedSpans++
    return false
  }

  /** Sets the id that both ends have agreed on. */
  protected setId(id: string): void {
    if (id === this.#id) return
    this.#id = id
    // Attributes that contain the former id are replaced.
    if (this.#messages !== undefined) this.setAttribute(schema.ATTR_WEBSOCKET_CONNECTION_ID, id)
  }

  protected messageState(): MessageState {
    this.#messages ??= new MessageState(this.identity(), this.handshakeLinks(), undefined, this.services.options)
    return this.#messages
  }

  protected rareState(): RareState {
    this.rare ??= new RareState()
    return this.rare
  }

  /** Links of spans that start a trace. */
  protected handshakeLinks(): Link[] {
    const handshake = this.handshakeContext()
    return handshake === undefined ? [] : [{ context: handshake, attributes: HANDSHAKE_LINK }]
  }

  protected handshakeContext(): SpanContext | undefined {
    return this.#handshake === undefined ? undefined : unpackIds(this.#handshake)
  }

  /** The connection span that the next message is a child of, with option `traces: 'connection'`. */
  protected nextSegment(): Span | undefined {
    const { segment } = this
    if (segment === undefined) return undefined
    if (segment.isFull) this.segmentEnded(segment)
    return this.segment?.count()
  }

  /** True if the handshake was not sampled and messages inherit its decision. */
  protected inheritsUnsampled(): boolean {
    if (this.services.options.messageSampling !== 'connection' || this.#handshake === undefined) return false
    return !isSampled(this.#handshake)
  }

  /** Warns once if a span that inherits the decision of a sampled handshake is not sampled. Returns the span. */
  protected inherited(span: Span | undefined): Span | undefined {
    if (this.services.options.messageSampling !== 'connection' || this.#handshake === undefined) return span
    const ids = idsOf(span)
    const isLost = ids !== undefined && (ids.traceFlags & TraceFlags.SAMPLED) === 0
    if (isLost) this.services.diagnostics.samplingNotInherited()
    return span
  }

  /**
   * A span that is not recorded, for messages that have none: code under it must not start traces of its own.
   *
   * @param parent the context that came with the message, if it is the parent
   */
  protected unsampledSpan(parent: SpanContext | undefined): Span {
    if (parent !== undefined) return unsampledIn(parent)
    const state = this.messageState()
    state.unsampled ??= unsampledIn(this.handshakeContext())
    return state.unsampled
  }

  /** As {@link unsampledSpan}, for a message that is over a budget. */
  protected overBudgetSpan(parent: SpanContext | undefined): Span {
    if (parent !== undefined) return overBudgetIn(undefined, parent)
    const state = this.messageState()
    state.overBudget ??= overBudgetIn(this.handshakeContext(), undefined)
    return state.overBudget
  }
}
