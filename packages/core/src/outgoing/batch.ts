import { type Context, context } from '@opentelemetry/api'
import type { Connection, PartialMessage } from '../connection/connection.ts'
import { isUnsampled, sendParent } from '../context/send-parent.ts'
import type { MessageName } from '../span/names.ts'
import type { Telemetry } from '../telemetry.ts'
import { OutgoingMessage } from './message.ts'
import { UntracedSends } from './untraced.ts'

/** Distinct payloads that one synchronous run may have in flight before the oldest is told. */
const MAX_OPEN = 8

/** The messages of one server that are being handed out in this run: to one connection each, or to many. */
export class SendBatch {
  readonly #telemetry: Telemetry
  /** Those that are on their way, linked in the order of their first send: a run makes no list of them. */
  #oldest: OutgoingMessage | undefined
  #newest: OutgoingMessage | undefined
  #open = 0
  readonly #lone = new UntracedSends(MAX_OPEN)
  /** Messages of which fragments have been sent, and whose spans have been started. */
  readonly #begun = new Set<OutgoingMessage>()
  #explicit: OutgoingMessage | undefined
  #depth = 0
  #scheduled = false

  constructor(telemetry: Telemetry) {
    this.#telemetry = telemetry
  }

  /** User code of ours starts to run synchronously: its end is the end of the run. */
  enterRun(): void {
    this.#depth++
  }

  leaveRun(): void {
    if (--this.#depth === 0) this.flush()
  }

  /**
   * The transmission that a send belongs to: one that is already on its way to others, or a new one. `undefined` when
   * nothing is to be told of it, as far as is known.
   *
   * @param isOpen false for a connection that is passed over
   */
  messageFor(
    connection: Connection,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    startedAt: number,
    isOpen = true,
  ): OutgoingMessage | undefined {
    if (this.#explicit !== undefined) return this.#explicit
    const active = context.active()
    const open = this.#find(data, active)
    if (open !== undefined) {
      if (!open.wasSentTo(connection)) return open
      this.#remove(open)
      open.resolve()
    }
    const telemetry = this.#telemetry
    const parent = sendParent(active)
    if (telemetry.tracer === undefined || isUnsampled(parent)) {
      if (!telemetry.metrics.recording) return undefined
      return this.#repeated(connection, data, binary, size, name, active, parent, isOpen)
    }
    const message = this.#nameOf(connection, data, binary, size, name, startedAt)
    const transmission = new OutgoingMessage(connection, data, binary, size, message, active, parent, startedAt, false)
    this.#add(transmission)
    return transmission
  }

  /** Of sends without a span: the broadcast that this one makes of an earlier one. */
  #repeated(
    connection: Connection,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    active: Context,
    parent: Context | undefined,
    isOpen: boolean,
  ): OutgoingMessage | undefined {
    const lone = this.#lone.find(data, active)
    const first = lone?.connection
    if (lone === undefined || first === undefined || first === connection) {
      lone?.forget()
      this.#lone.add(connection, data, active, isOpen)
      this.#schedule()
      return undefined
    }
    const message = this.#nameOf(first, data, binary, size, name, 0)
    const transmission = new OutgoingMessage(first, data, binary, size, message, active, parent, lone.startTime, false)
    if (lone.wasSent) transmission.sent(first, first.sent)
    else if (!lone.wasOpen) transmission.skipped(first)
    lone.forget()
    this.#add(transmission)
    return transmission
  }

  /** A message with a name to one connection, whatever else is sent in the same run. */
  startEvent(connection: Connection, data: unknown, name: string): OutgoingMessage | undefined {
    const active = context.active()
    const parent = sendParent(active)
    if (isUnsampled(parent)) return undefined
    const message = this.#telemetry.named(name)
    const transmission = new OutgoingMessage(connection, data, false, 0, message, active, parent, 0, false)
    if (!transmission.traced) return undefined
    this.#add(transmission)
    return transmission
  }

  /**
   * The transmission of a message whose first fragment is about to be sent to a peer that has agreed. It is told once
   * its last fragment has been sent, which may be in another run.
   */
  startFragmented(connection: Connection, fragments: PartialMessage): OutgoingMessage {
    const active = context.active()
    const transmission = new OutgoingMessage(
      connection,
      fragments,
      fragments.binary,
      0,
      this.#telemetry.unnamed(connection.route),
      active,
      sendParent(active),
      fragments.startedAt,
      false,
    )
    this.#begun.add(transmission)
    return transmission
  }

  /** The last fragment of a message is about to be sent. */
  finishFragmented(transmission: OutgoingMessage): void {
    this.#begun.delete(transmission)
    this.#add(transmission)
  }

  /** The last fragment of a message will never be sent. */
  abandonFragmented(transmission: OutgoingMessage, error?: unknown): void {
    this.#begun.delete(transmission)
    if (error !== undefined) transmission.failed(error)
    transmission.resolve()
  }

  /** A connection that is not open was passed over. */
  skipped(connection: Connection, data: unknown, binary: boolean, size: number, name: string | undefined): void {
    this.messageFor(connection, data, binary, size, name, 0, false)?.skipped(connection)
  }

  /** An explicit broadcast passed a connection over. */
  skippedInBroadcast(connection: Connection): void {
    this.#explicit?.skipped(connection)
  }

  /**
   * Runs a fan-out that is known to be one: all sends of `run` to these connections belong to it, whichever servers they
   * came by, and there is one span. It is told by the telemetry of the first.
   */
  broadcast<R>(
    connections: readonly [Connection, ...Connection[]],
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    run: () => R,
  ): R {
    if (!this.#telemetry.active) return run()
    const [first] = connections
    const message = this.#nameOf(first, data, binary, size, name, 0)
    const active = context.active()
    const transmission = new OutgoingMessage(first, data, binary, size, message, active, sendParent(active), 0, true)
    const fanouts = [...new Set(connections.map((connection) => connection.telemetry.sendBatch))]
    const outer = fanouts.map((fanout) => fanout.#explicit)
    for (const fanout of fanouts) fanout.#explicit = transmission
    try {
      return run()
    } catch (error) {
      transmission.failed(error)
      throw error
    } finally {
      fanouts.forEach((fanout, index) => {
        fanout.#explicit = outer[index]
      })
      transmission.resolve()
    }
  }

  /** The synchronous run is over. */
  flush(): void {
    if (!this.#lone.isEmpty) this.#lone.clear()
    let transmission = this.#oldest
    if (transmission === undefined) return
    this.#oldest = undefined
    this.#newest = undefined
    this.#open = 0
    while (transmission !== undefined) {
      const { next }: OutgoingMessage = transmission
      transmission.next = undefined
      transmission.resolve()
      transmission = next
    }
  }

  /** Tells everything, also messages of which fragments are still to come. */
  shutdown(): void {
    this.flush()
    for (const transmission of this.#begun) this.abandonFragmented(transmission)
  }

  #nameOf(
    { route }: Connection,
    data: unknown,
    binary: boolean,
    size: number,
    name: string | undefined,
    startedAt: number,
  ): MessageName {
    if (name !== undefined) return this.#telemetry.named(name)
    // Of a message that went out in fragments nobody has the whole.
    if (startedAt !== 0) return this.#telemetry.unnamed(route)
    return this.#telemetry.nameOf(data, binary, size, route)
  }

  #find(data: unknown, active: Context): OutgoingMessage | undefined {
    let open = this.#oldest
    while (open !== undefined && !open.matches(data, active)) open = open.next
    return open
  }

  #add(transmission: OutgoingMessage): void {
    if (this.#newest === undefined) this.#oldest = transmission
    else this.#newest.next = transmission
    this.#newest = transmission
    const oldest = this.#oldest
    if (++this.#open > MAX_OPEN && oldest !== undefined) {
      this.#remove(oldest)
      oldest.resolve()
    }
    this.#schedule()
  }

  #remove(transmission: OutgoingMessage): void {
    let before: OutgoingMessage | undefined
    for (let at = this.#oldest; at !== undefined && at !== transmission; at = at.next) before = at
    if (before === undefined) this.#oldest = transmission.next
    else before.next = transmission.next
    if (this.#newest === transmission) this.#newest = before
    transmission.next = undefined
    this.#open--
  }

  /** Outside of handlers a run ends with the microtask. */
  #schedule(): void {
    if (this.#depth > 0 || this.#scheduled) return
    this.#scheduled = true
    Promise.resolve().then(() => {
      this.#scheduled = false
      this.flush()
    })
  }
}
