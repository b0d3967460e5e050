import type { Context } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { isUnsampled, sendParent } from '../context/send-parent.ts'
import type { Services } from '../services/services.ts'
import type { MessageName } from '../span/names.ts'
import { OutgoingMessage } from './message.ts'
import type { Sender } from './sender.ts'
import { type UntracedSend, UntracedSends } from './untraced.ts'

/** Distinct payloads that a run may have in flight; beyond, the oldest is resolved. */
const MAX_OPEN = 8

/** A message of which some fragments have been sent. */
export interface PartialMessage<M = OutgoingMessage> {
  /** Milliseconds on the monotonic clock. */
  readonly startedAt: number
  readonly binary: boolean
  size: number
  count: number
  /** Set from the first fragment on if that carries the message's context. */
  message?: M | undefined
}

/** A connection whose sends are batched. */
interface BatchedSender extends Sender {
  readonly services: Services & { readonly sendBatch: SendBatch }
}

/**
 * Outgoing messages of the current synchronous run, grouped by payload, so that a loop of sends becomes one broadcast. A
 * run is the synchronous part of an operation; outside of operations it ends with the microtask.
 */
export class SendBatch {
  readonly #services: Services
  /** The open messages, linked in the order of their first send: a run allocates no list. */
  #oldest: OutgoingMessage | undefined
  #newest: OutgoingMessage | undefined
  #open = 0
  readonly #untraced = new UntracedSends<BatchedSender>(MAX_OPEN)
  /** Messages of which fragments have been sent, and whose spans have started. */
  readonly #fragmented = new Set<OutgoingMessage>()
  /** The broadcast that all sends of the moment belong to. */
  #broadcast: OutgoingMessage | undefined
  readonly #onForgotten = (send: UntracedSend<BatchedSender>): void => this.#forgetUntraced(send)
  #depth = 0
  #isScheduled = false

  constructor(services: Services) {
    this.#services = services
  }

  /** The synchronous part of an operation starts. */
  enterRun(): void {
    this.#depth++
  }

  leaveRun(): void {
    if (--this.#depth === 0) this.flush()
  }

  /**
   * The message that a send belongs to: one that is being sent to others in this run, or a new one. `undefined` if only
   * plain counters are incremented for it.
   */
  messageFor(
    connection: BatchedSender,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
  ): OutgoingMessage | undefined {
    return this.#messageFor(connection, data, binary, size, name, true)
  }

  /** A connection that is not open was skipped. */
  skipped(connection: BatchedSender, data: unknown, binary: boolean, size: number, name: string | undefined): void {
    this.#messageFor(connection, data, binary, size, name, false)?.skipped(connection)
  }

  /** A broadcast of {@link broadcast} skipped a connection. */
  skippedInBroadcast(connection: Sender): void {
    this.#broadcast?.skipped(connection)
  }

  /** Starts a named message to one connection that is never part of a broadcast. */
  startEvent(connection: Sender, data: unknown, name: string): OutgoingMessage | undefined {
    const active = activeContext()
    const parent = sendParent(active)
    if (isUnsampled(parent)) return undefined
    const message = new OutgoingMessage(connection, data, this.#services.named(name), active, parent)
    if (!message.traced) return undefined
    this.#add(message)
    return message
  }

  /**
   * Starts a message whose first fragment carries its context. It is resolved after its last fragment, which may be sent
   * in another run.
   */
  startFragmented(connection: Sender, fragments: PartialMessage): OutgoingMessage {
    const active = activeContext()
    // A fragmented message has no single payload to read a name from.
    const name = this.#services.unnamed(connection.route)
    const message = new OutgoingMessage(connection, fragments, name, active, sendParent(active), fragments.startedAt)
    message.encoded(fragments.binary, 0)
    this.#fragmented.add(message)
    return message
  }

  /** The last fragment of a message of `size` bytes is about to be sent. */
  finishFragmented(connection: BatchedSender, fragments: PartialMessage, size: number): OutgoingMessage | undefined {
    let { message } = fragments
    if (message === undefined) {
      if (this.#broadcast !== undefined) return this.#broadcast
      const active = activeContext()
      const parent = sendParent(active)
      if (this.#services.tracer === undefined || isUnsampled(parent)) return undefined
      const name = this.#services.unnamed(connection.route)
      message = new OutgoingMessage(connection, fragments, name, active, parent, fragments.startedAt)
    } else this.#fragmented.delete(message)
    message.encoded(fragments.binary, size)
    this.#add(message)
    return message
  }

  /** The remaining fragments of a message will not be sent. */
  abandonFragmented(message: OutgoingMessage, error?: unknown): void {
    this.#fragmented.delete(message)
    if (error !== undefined) message.failed(error)
    message.resolve()
  }

  /**
   * Runs a fan-out that is known to be one: all sends of `run` to these connections, of whichever servers, belong to one
   * broadcast. Its span is recorded by the services of the first connection.
   */
  broadcast<R>(
    connections: readonly [BatchedSender, ...BatchedSender[]],
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    run: () => R,
  ): R {
    if (!this.#services.active) return run()
    const [first] = connections
    const active = activeContext()
    const messageName = this.#nameOf(first, data, binary, size, name)
    const message = new OutgoingMessage(first, data, messageName, active, sendParent(active), 0, true)
    message.encoded(binary, size)
    const batches = [...new Set(connections.map((connection) => connection.services.sendBatch))]
    const outer = batches.map((batch) => batch.#broadcast)
    for (const batch of batches) batch.#broadcast = message
    try {
      return run()
    } catch (error) {
      message.failed(error)
      throw error
    } finally {
      batches.forEach((batch, index) => {
        batch.#broadcast = outer[index]
      })
      message.resolve()
    }
  }

  /** The run has ended: resolves its messages. */
  flush(): void {
    if (!this.#untraced.isEmpty) this.#untraced.clear(this.#onForgotten)
    let message = this.#oldest
    if (message === undefined) return
    this.#oldest = undefined
    this.#newest = undefined
    this.#open = 0
    while (message !== undefined) {
      const { next }: OutgoingMessage = message
      message.next = undefined
      message.resolve()
      message = next
    }
  }

  /** Resolves all messages, also those with fragments that are not sent yet. */
  shutdown(): void {
    this.flush()
    for (const message of this.#fragmented) this.abandonFragmented(message)
  }

  // Arguments are passed one by one: an object per message would be an allocation on the hot path.
  #messageFor(
    connection: BatchedSender,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    isOpen: boolean,
  ): OutgoingMessage | undefined {
    if (this.#broadcast !== undefined) return this.#broadcast
    const active = activeContext()
    const open = this.#find(data, active)
    if (open !== undefined) {
      if (!open.wasSentTo(connection)) return open
      this.#remove(open)
      open.resolve()
    }
    const services = this.#services
    const parent = sendParent(active)
    let message: OutgoingMessage
    if (services.tracer !== undefined && !isUnsampled(parent)) {
      const messageName = this.#nameOf(connection, data, binary, size, name)
      message = new OutgoingMessage(connection, data, messageName, active, parent)
    } else {
      if (!services.metrics.recording) return undefined
      const earlier = this.#earlierUntraced(connection, data, active, isOpen, binary, size, name)
      if (earlier === undefined) return undefined
      const first = earlier.connection as BatchedSender
      const messageName = this.#nameOf(first, data, binary, size, name)
      message = new OutgoingMessage(first, data, messageName, active, parent, earlier.startTime)
      message.encoded(binary, size)
      if (earlier.wasSent) message.sent(first, first.sent)
      else if (!earlier.wasOpen) message.skipped(first)
      earlier.clear()
    }
    message.encoded(binary, size)
    this.#add(message)
    return message
  }

  /** The earlier send of the same payload that makes this untraced send a broadcast; if there is none, this one is kept. */
  #earlierUntraced(
    connection: BatchedSender,
    data: unknown,
    active: Context,
    isOpen: boolean,
    binary: boolean,
    size: number,
    name: string | undefined,
  ): UntracedSend<BatchedSender> | undefined {
    const earlier = this.#untraced.find(data, active)
    if (earlier?.connection !== undefined && earlier.connection !== connection) return earlier
    if (earlier !== undefined) this.#forgetUntraced(earlier)
    const slot = this.#untraced.next()
    if (slot.connection !== undefined) this.#forgetUntraced(slot)
    slot.set(connection, data, active, isOpen)
    slot.binary = binary
    slot.size = size
    slot.name = name
    this.#schedule()
    return undefined
  }

  /** A send without a span was to one connection only: it is counted by its name. */
  #forgetUntraced(send: UntracedSend<BatchedSender>): void {
    const { connection, data, binary, size, name, wasSent } = send
    const { options, metrics } = this.#services
    send.clear()
    if (connection === undefined || !wasSent || !metrics.recording) return
    if (name === undefined && options.messageName === undefined) return
    const message = this.#nameOf(connection, data, binary, size, name)
    if (message.name !== undefined) connection.series.sentNamed(message.name, binary, 'personal')
  }

  #nameOf({ series }: Sender, data: unknown, binary: boolean, size: number, name: string | undefined): MessageName {
    return name === undefined ? this.#services.nameOf(data, binary, size, series.route) : this.#services.named(name)
  }

  #find(data: unknown, active: Context): OutgoingMessage | undefined {
    let open = this.#oldest
    while (open !== undefined && !open.matches(data, active)) open = open.next
    return open
  }

  #add(message: OutgoingMessage): void {
    if (this.#newest === undefined) this.#oldest = message
    else this.#newest.next = message
    this.#newest = message
    const oldest = this.#oldest
    if (++this.#open > MAX_OPEN && oldest !== undefined) {
      this.#remove(oldest)
      oldest.resolve()
    }
    this.#schedule()
  }

  #remove(message: OutgoingMessage): void {
    let before: OutgoingMessage | undefined
    for (let at = this.#oldest; at !== undefined && at !== message; at = at.next) before = at
    if (before === undefined) this.#oldest = message.next
    else before.next = message.next
    if (this.#newest === message) this.#newest = before
    message.next = undefined
    this.#open--
  }

  #schedule(): void {
    if (this.#depth === 0 && !this.#isScheduled) this.#flushSoon()
  }

  /** Apart from `#schedule`: a function with a closure allocates its variables with each call. */
  #flushSoon(): void {
    this.#isScheduled = true
    Promise.resolve().then(() => {
      this.#isScheduled = false
      this.flush()
    })
  }
}
