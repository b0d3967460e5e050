import { type Attributes, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import { activeContext, runInContext } from '../api/context.ts'
import { inject } from '../api/propagation.ts'
import { addLinks, endSpan, idsOf, isRecording, setAttribute, setAttributes } from '../api/span.ts'
import { closeAttributes } from '../close/attributes.ts'
import {
  type Close,
  type CloseFacts,
  categoryOf,
  closeCodeLabel,
  isAbnormal,
  resolveClose,
  truncateUtf8,
} from '../close/close.ts'
import { Operation } from '../context/operation.ts'
import { isFollowable, whenSettled } from '../context/promises.ts'
import { activeIds } from '../context/send-parent.ts'
import { runningOperation } from '../context/server-operation.ts'
import { spanOf, withoutSpan, withSpan } from '../context/span-scope.ts'
import type { LiveConnection } from '../metrics/live-connections.ts'
import * as schema from '../schema.ts'
import { markFailed } from '../span/failure.ts'
import { causeLinks } from '../span/links.ts'
import { spanName } from '../span/names.ts'
import { type ConnectionContext, ConnectionView } from './context.ts'
import { activeHandler, HandlerSpan } from './handler-span.ts'
import { HEARTBEAT_PAYLOAD } from './heartbeat.ts'
import { OperatingConnection } from './operating.ts'
import { Pings } from './pings.ts'
import { Segment } from './segment.ts'
import { removeConnection } from './socket-key.ts'

/** Code of a connection that ended without a close frame (RFC 6455, section 7.1.5). */
const ABNORMAL_CLOSURE = 1006

/**
 * One connection, from its handshake to its close. It holds numbers, strings and ids; never a span that has ended.
 *
 * An adapter calls it in this order: `startOpen`; then for each message `extractContext` and `startReceive`, `send` (or
 * `startSend` and the calls that its documentation names) and `sendSkipped`; pings and pongs as they pass; of the close
 * handshake `closeFrameSent`, `protocolErrorDetected` and `terminateCalled`; and `close` at the end.
 */
export class Connection extends OperatingConnection implements LiveConnection {
  newestPending: Operation | undefined = undefined
  /** Listeners of the connection's end that the host registers itself. */
  hostCloseListeners = 0
  older: LiveConnection | undefined = undefined
  newer: LiveConnection | undefined = undefined
  /** Whole milliseconds: a fraction would be a heap object. */
  readonly #openedAt = Math.trunc(performance.now())
  closed = false

  /** The view of this connection for the application: always the same object. */
  view(): ConnectionContext {
    const state = this.rareState()
    state.view ??= new ConnectionView(this)
    return state.view
  }

  run<R>(fn: () => R): R {
    const base = withoutSpan(activeContext())
    const span = this.segment?.span
    return runInContext(span === undefined ? base : withSpan(base, span), fn)
  }

  traceContext(): Record<string, string> {
    const carrier: Record<string, string> = {}
    const active = activeContext()
    if (idsOf(spanOf(active)) !== undefined) inject(active, carrier)
    else {
      const handshake = this.handshakeContext()
      if (handshake !== undefined) inject(trace.setSpanContext(ROOT_CONTEXT, handshake), carrier)
    }
    return carrier
  }

  bufferedAmount(): number {
    return this.services.driver.bufferedAmount(this.socket)
  }

  /** Seconds of the last round trip of a ping; `undefined` if none is known. */
  get rtt(): number | undefined {
    return this.rare?.pings?.rtt
  }

  get slowBytes(): number {
    return this.services.options.slowConsumerBytes
  }

  get isIdle(): boolean | undefined {
    const { clock } = this.services
    return clock.isRunning ? clock.isOver(this.activeAt) : undefined
  }

  /** Called by the handshake when its span has ended. */
  opened(): void {
    this.series.live.add(this)
    this.services.heartbeat?.add(this)
    if (this.services.options.traces === 'connection') this.segment = Segment.first(this, this.handshakeContext())
  }

  /** The connection was open before its host was traced: for `age` milliseconds. */
  adopted(age: number): void {
    this.rareState().ageBefore = age
    this.opened()
  }

  /**
   * Starts the application's connection handler; `undefined` without an SDK.
   *
   * @param functionName name of the handler with its class, if the host knows it
   */
  startOpen(functionName?: string): HandlerSpan | undefined {
    const { services } = this
    const { tracer, metrics, options } = services
    const duration = metrics.recording ? metrics.openDuration : undefined
    const active = withoutSpan(activeContext())
    if (tracer === undefined) {
      const isNeeded = duration !== undefined || options.around !== undefined
      return isNeeded ? new HandlerSpan(this, active, undefined, duration, this) : undefined
    }
    const handshake = this.handshakeContext()
    const parent = handshake === undefined ? active : withSpan(active, trace.wrapSpanContext(handshake))
    const span = services.startSpan(spanName('open', this.route), { attributes: this.identity() }, parent)
    if (functionName !== undefined) setAttribute(span, schema.ATTR_CODE_FUNCTION_NAME, functionName)
    return new HandlerSpan(this, active, span, duration, this)
  }

  /**
   * Starts the span of the application's listeners of the connection's end; `undefined` if it has none.
   *
   * @param listeners number of those that are registered, with the host's own
   */
  startCloseListeners(listeners: number): HandlerSpan | undefined {
    return listeners > this.hostCloseListeners ? this.startDisconnect() : undefined
  }

  /** Starts the span of the application's handler of the connection's end; `undefined` if it gets none. */
  startDisconnect(functionName?: string): HandlerSpan | undefined {
    const { services } = this
    const { tracer, options } = services
    const active = withoutSpan(activeContext())
    if (tracer === undefined || this.inheritsUnsampled()) {
      return options.around === undefined ? undefined : new HandlerSpan(this, active, undefined, undefined, undefined)
    }
    const name = spanName('disconnect', this.route)
    const segment = this.segment?.span
    const attributes = this.identity()
    const span =
      segment === undefined
        ? services.startSpan(name, { attributes, links: this.handshakeLinks() }, active)
        : services.startSpan(name, { attributes }, withSpan(active, segment))
    if (functionName !== undefined) setAttribute(span, schema.ATTR_CODE_FUNCTION_NAME, functionName)
    return new HandlerSpan(this, active, span, undefined, undefined)
  }

  waitUntil(promise: unknown): void {
    const followed = isFollowable(promise) ? promise : Promise.resolve(promise)
    const operation = this.currentProcess() ?? activeHandler(this)
    if (operation?.settled === false) operation.follow(followed, undefined, true)
    else whenSettled(followed, undefined, () => {})
  }

  /** Sets attributes on every later span, and on that of the connection handler if it sets them. */
  override setAttributes(attributes: Attributes): void {
    super.setAttributes(attributes)
    setAttributes(activeHandler(this)?.span, attributes)
  }

  /** The connection continues over another transport. */
  transportChanged(transport: string): void {
    setAttribute(this.segment?.span, schema.ATTR_WEBSOCKET_TRANSPORT, transport)
  }

  /** A ping was sent, by the heartbeat or the application. */
  pingSent(payload: string): void {
    if (this.pings().sent(payload)) this.series.missedPings++
  }

  /**
   * A pong arrived. Pongs that do not answer the latest ping are ignored. Returns true if it answers a ping of the
   * heartbeat: the adapter then keeps it from the application, which did not send that ping.
   */
  pongReceived(payload: string): boolean {
    const rtt = this.rare?.pings?.answered(payload)
    const { metrics } = this.services
    if (rtt !== undefined && metrics.recording) metrics.pingRtt.record(rtt, this.series.attributes)
    return payload.startsWith(HEARTBEAT_PAYLOAD)
  }

  /** Milliseconds that the heartbeat's ping waits for its pong; 0 if none is unanswered. */
  heartbeatOverdue(): number {
    return this.rare?.pings?.heartbeatOverdue() ?? 0
  }

  /** Sends a ping of the heartbeat. */
  ping(payload: string): void {
    this.services.driver.ping?.(this.socket, payload)
  }

  /** Terminates a connection that did not answer the heartbeat in time. */
  terminateDead(): void {
    this.pings().heartbeatMissed()
    this.timedOut()
    this.services.driver.terminate?.(this.socket)
  }

  /**
   * Code of this side closes the connection: its close is linked to the span that is active now. `closeFrameSent` and
   * `terminateCalled` do it themselves.
   */
  closeCalled(): void {
    this.rareState().closeCause ??= activeIds()
  }

  /**
   * This side sent the first close frame, or fails the connection with this code. 1005 stands for a close frame without a
   * code (RFC 6455, section 7.1.5).
   */
  closeFrameSent(code: number, reason?: string): void {
    const state = this.rareState()
    if (state.sentCode !== undefined) return
    this.closeCalled()
    this.closedBy(code)
    state.sentCode = code
    state.sentReason = reason
  }

  /** This side found an error of the protocol. `code` is the close code that stands for it, sent or not. */
  protocolErrorDetected(code: number | undefined): void {
    if (code !== undefined) this.rareState().failedCode ??= code
  }

  /** This side closes the connection without a close frame. */
  terminateCalled(): void {
    const state = this.rareState()
    if (state.terminated) return
    state.terminated = true
    this.closeCalled()
    this.closedBy(ABNORMAL_CLOSURE)
    if (state.pings?.isTerminationTimeout(this.services.options.heartbeatTimeout)) this.timedOut()
  }

  /** The server begins to close and still holds the connection: it counts as draining until it has closed. */
  drain(): void {
    const state = this.rareState()
    if (this.closed || state.drainingSince !== undefined) return
    state.drainingSince = performance.now()
    this.series.draining = (this.series.draining ?? 0) + 1
  }

  /** The connection has closed: ends all that is pending and records the close. Later calls do nothing. */
  close(facts: CloseFacts = {}): void {
    if (this.closed) return
    this.closed = true
    const { rare, services } = this
    this.series.live.delete(this)
    this.drained()
    services.heartbeat?.delete(this)
    if (rare?.partialSend !== undefined) this.abandonFragments(rare.partialSend)
    const close = resolveClose({
      sent: rare?.sentCode,
      failed: rare?.failedCode,
      terminated: rare?.terminated === true,
      timedOut: rare?.timedOut === true,
      ...facts,
    })
    if (services.keeper !== undefined) this.rareState().endedAbnormally = isAbnormal(close.category)
    this.endPending()
    this.endWindows()
    const duration = (performance.now() - this.#openedAt + (rare?.ageBefore ?? 0)) / 1000
    this.recordDuration(close, duration)
    this.recordCloseSpan(close, rare?.sentCode === undefined ? facts : { ...facts, reason: rare.sentReason }, duration)
  }

  /**
   * Removes telemetry from a connection that stays open. A connection with `terms`, or that awaits the client's
   * confirmation, stays traced: its peer continues to inject contexts, which the application must not see.
   */
  release(): void {
    if (this.closed || this.terms !== undefined || this.awaitsConfirmation) return
    this.closed = true
    this.series.live.delete(this)
    this.drained()
    this.services.heartbeat?.delete(this)
    this.endPending()
    this.endWindows()
    if (this.segment !== undefined) this.segmentEnded(this.segment, 'shutdown')
    removeConnection(this.socket as object)
    this.services.driver.release?.(this.socket)
  }

  private drained(): void {
    const { rare, series, services } = this
    if (rare?.drainingSince === undefined || series.draining === undefined) return
    series.draining--
    const { metrics } = services
    if (!metrics.recording) return
    metrics.drainDuration.record((performance.now() - rare.drainingSince) / 1000, series.attributes)
  }

  /** Code of this side closes the connection with this code: the message that it handles has done so. */
  private closedBy(code: number): void {
    if (this.services.keeper === undefined) return
    const message = this.currentProcess()?.unsampled
    if (message !== undefined && isAbnormal(categoryOf(code))) message.closes = true
  }

  private pings(): Pings {
    const state = this.rareState()
    state.pings ??= new Pings()
    return state.pings
  }

  private timedOut(): void {
    this.series.missedPings++
    this.rareState().timedOut = true
  }

  /** Ends acknowledgements, streams, sends and handlers that are pending when the connection ends. */
  private endPending(): void {
    this.services.sendBatch.flush()
    this.operations?.close()
    const { streams, acks, flushPoller } = this.rare ?? {}
    if (acks !== undefined) for (const ack of acks) ack.settle('disconnected')
    if (streams !== undefined) for (const stream of streams) stream.disconnect()
    flushPoller?.end()
    if (this.newestPending !== undefined) Operation.disconnectAll(this, runningOperation())
  }

  private recordDuration(close: Close, duration: number): void {
    const { metrics, options } = this.services
    if (!metrics.recording) return
    metrics.connectionDuration.record(duration, {
      ...this.series.attributes,
      [schema.ATTR_WEBSOCKET_CLOSE_CATEGORY]: close.category,
      [schema.ATTR_WEBSOCKET_CLOSE_INITIATOR]: close.initiator,
      [schema.ATTR_WEBSOCKET_CLOSE_CODE]: closeCodeLabel(close.code, options.closeCodes),
    })
  }

  /** Records the close on the connection span if there is one, else on a span of its own. */
  private recordCloseSpan(close: Close, facts: CloseFacts, duration: number): void {
    const { segment } = this
    this.segment = undefined
    const span = segment?.span ?? this.startCloseSpan()
    if (isRecording(span)) this.describeClose(span, close, facts, duration)
    if (segment === undefined) endSpan(span)
    else {
      if (span !== undefined && this.rare?.closeCause !== undefined) addLinks(span, causeLinks(this.rare.closeCause))
      segment.end()
    }
  }

  private startCloseSpan(): Span | undefined {
    if (this.inheritsUnsampled()) return undefined
    const links = [...this.handshakeLinks(), ...causeLinks(this.rare?.closeCause)]
    const options = { attributes: this.identity(), links }
    return this.services.startSpan(spanName('close', this.route), options, withoutSpan(activeContext()))
  }

  private describeClose(span: Span, close: Close, facts: CloseFacts, duration: number): void {
    const { services } = this
    const { closeReason, closeErrors, onClose } = services.options
    const { reason } = facts
    const text = closeReason && reason !== undefined && reason !== '' ? truncateUtf8(reason, 123) : undefined
    setAttributes(span, this.closeAttributes(close, facts, text, duration))
    if (this.received + this.sent > 0) this.messageState().counts.closed(span, this.sent, this.broadcastSent)
    if (closeErrors.has(close.category)) markFailed(span, close.category)
    if (onClose === undefined) return
    const info = { connectionId: this.id, ...close, reason, duration }
    const extra = services.callHook('onClose', onClose, span, info)
    setAttributes(span, extra)
  }

  private closeAttributes(close: Close, facts: CloseFacts, reason: string | undefined, duration: number): Attributes {
    const attributes = closeAttributes(
      close,
      reason,
      duration,
      this,
      facts.transport === 'webtransport' ? 'quic' : this.networkTransport,
    )
    if (facts.transport !== undefined) attributes[schema.ATTR_WEBSOCKET_TRANSPORT] = facts.transport
    const rtt = this.rare?.pings?.rtt ?? facts.rtt
    if (rtt !== undefined) attributes[schema.ATTR_WEBSOCKET_PING_RTT] = rtt
    if (this.rare?.ageBefore !== undefined) attributes[schema.ATTR_WEBSOCKET_CONNECTION_PARTIAL] = true
    const dropped = this.rare?.droppedSpans ?? 0
    if (dropped > 0) attributes[schema.ATTR_WEBSOCKET_CONNECTION_SPANS_DROPPED] = dropped
    return attributes
  }
}
