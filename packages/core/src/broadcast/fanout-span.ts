import type { Context, Link, Span } from '@opentelemetry/api'
import { addLinks, isRecording, setAttribute, setAttributes } from '../api/span.ts'
import { isCausedByAnother } from '../context/send-parent.ts'
import { ServerOperation } from '../context/server-operation.ts'
import type { Series } from '../metrics/series.ts'
import * as schema from '../schema.ts'
import type { Services } from '../services/services.ts'
import { describeMessage } from '../span/describe.ts'
import type { MessageName } from '../span/names.ts'
import { describeFanout, recordFanout } from './fanout.ts'

/** Names of rooms in a list, and characters of a name: rooms are named by the application, and may be many. */
const MAX_ROOMS = 10
const MAX_ROOM_LENGTH = 64

/** Services of a host that batches the sends of a synchronous run. */
export type FanoutServices = Services & ServerOperation['services']

/** Attributes that all recipients of a broadcast have in common. */
export interface Audience {
  readonly route?: string | undefined
  readonly namespace?: string | undefined
}

/** The connection that is the only receiver of a broadcast. */
interface Receiver {
  receiverLinks(): Link[]
}

/**
 * A span around the host's own fan-out of one message to many connections of this node, which need not be known
 * beforehand. The host's code runs in its context, so that what it does for the broadcast, such as publishing to other
 * nodes, becomes a child of the span.
 */
export abstract class FanoutSpan extends ServerOperation {
  readonly message: MessageName
  readonly series: Series
  declare readonly services: FanoutServices
  #recipients = 0
  #skipped = 0
  /** The only connection that the message went to so far. */
  #receiver: Receiver | undefined
  #binary: boolean | undefined
  #size = 0
  #isCompleted = false
  #isAwaited = false

  constructor(
    services: FanoutServices,
    audience: Audience,
    message: MessageName,
    active: Context,
    span: Span | undefined,
  ) {
    super(services, active, span, performance.now())
    this.message = message
    this.series = services.metrics.series(audience.route, audience.namespace, undefined)
  }

  override get adopts(): boolean {
    return !this.ended
  }

  /** The host has encoded the message: its type, its size in bytes, and its data as the application sees it. */
  encoded(binary: boolean, size: number, data?: unknown): void {
    this.#binary = binary
    this.#size = size
    const { onMessage } = this.services.options
    const { span } = this
    if (onMessage === undefined || !isRecording(span)) return
    const info = { connectionId: undefined, direction: 'send', data, binary } as const
    const extra = this.services.callHook('onMessage', onMessage, span, info)
    setAttributes(span, extra)
  }

  /** The host has accepted the message for one more connection. */
  sent(connection?: Receiver): void {
    this.#receiver = ++this.#recipients === 1 ? connection : undefined
  }

  /** A connection was skipped because it was not open. */
  skipped(): void {
    this.#skipped++
  }

  /** Records the rooms that the host sends to and those that it leaves out: the first ten names of each, on the span only. */
  addressed(rooms: Iterable<string> = [], except: Iterable<string> = []): void {
    const { span } = this
    if (!isRecording(span)) return
    setNames(span, schema.ATTR_WEBSOCKET_BROADCAST_ROOMS, rooms)
    setNames(span, schema.ATTR_WEBSOCKET_BROADCAST_EXCEPT, except)
  }

  /** Keeps the span open until `fanoutCompleted` or `fanoutAbandoned`. */
  awaitFanout(): void {
    if (this.#isCompleted || this.#isAwaited) return
    this.#isAwaited = true
    this.hold()
  }

  /** The host will not send the message to connections of this node. */
  fanoutAbandoned(): void {
    if (!this.#isAwaited) return
    this.#isAwaited = false
    this.done()
  }

  /** The message was sent to all connections of this node. Later calls do nothing. */
  fanoutCompleted(): void {
    if (this.#isCompleted) return
    this.#isCompleted = true
    const seconds = (performance.now() - this.startTime) / 1000
    recordFanout(this.services, this.series, this.message, this.#recipients, seconds)
    this.fanoutAbandoned()
  }

  override get owner(): undefined {
    return undefined
  }

  protected override onHandled(): void {}

  protected override describeEnd(span: Span): void {
    const { message } = this
    if (this.#binary !== undefined) describeMessage(span, message, this.#binary, this.#size)
    else if (message.name !== undefined) setAttribute(span, schema.ATTR_WEBSOCKET_MESSAGE_NAME, message.name)
    if (this.#isCompleted) describeFanout(span, this.#recipients, this.#skipped)
    const receiver = this.#receiver
    if (receiver !== undefined && isCausedByAnother(this.parent, receiver)) addLinks(span, receiver.receiverLinks())
  }
}

function setNames(span: Span, key: string, names: Iterable<string>): void {
  const found: string[] = []
  for (const name of names) {
    if (found.length === MAX_ROOMS) break
    found.push(String(name).slice(0, MAX_ROOM_LENGTH))
  }
  if (found.length > 0) setAttribute(span, key, found)
}

/** True if option `ignore` excludes the audience's route. A predicate is asked per message instead. */
export function isAudienceIgnored(services: Services, { route }: Audience): boolean {
  const { ignore } = services.options
  return ignore !== undefined && typeof ignore !== 'function' && services.ignores({ kind: 'connection', route })
}

/** True if option `messages`, `outgoing` or `ignore` leaves a broadcast without a span. */
export function isBroadcastUntraced(services: Services, audience: Audience, message: MessageName): boolean {
  const { options } = services
  if (!options.messages || !options.outgoing) return true
  if (options.ignore === undefined) return false
  return services.ignores({ kind: 'message', route: audience.route, name: message.name, direction: 'send' })
}
