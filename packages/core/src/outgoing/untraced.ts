import type { Context } from '@opentelemetry/api'

/** The members of a connection that an untraced send uses. */
interface Recipient {
  /** Number of messages that the host has accepted. */
  readonly sent: number
}

/** A send without a span, to one connection as far as is known. */
export class UntracedSend<C extends Recipient> {
  connection: C | undefined
  data: unknown
  active: Context | undefined
  startTime = 0
  binary = false
  size = 0
  name: string | undefined
  wasOpen = false
  sentBefore = 0

  /** @param isOpen false for a connection that is skipped */
  set(connection: C, data: unknown, active: Context, isOpen: boolean): void {
    this.connection = connection
    this.data = data
    this.active = active
    this.startTime = performance.now()
    this.wasOpen = isOpen
    this.sentBefore = connection.sent
  }

  /** True if the host has accepted the message since. */
  get wasSent(): boolean {
    return this.wasOpen && this.connection !== undefined && this.connection.sent > this.sentBefore
  }

  clear(): void {
    this.connection = undefined
    this.data = undefined
    this.active = undefined
  }
}

/**
 * Remembers the untraced sends of a run, so that a repeated payload is still counted as a broadcast. Slots are reused to
 * avoid an allocation per message.
 */
export class UntracedSends<C extends Recipient> {
  readonly #slots: readonly UntracedSend<C>[]
  #next = 0
  #used = 0

  /** @param size distinct payloads that are remembered; the oldest is forgotten first */
  constructor(size: number) {
    this.#slots = Array.from({ length: size }, () => new UntracedSend<C>())
  }

  get isEmpty(): boolean {
    return this.#used === 0
  }

  /** The send of the same payload in the same run. */
  find(data: unknown, active: Context): UntracedSend<C> | undefined {
    for (let index = 0; index < this.#used; index++) {
      const send = this.#slots[index] as UntracedSend<C>
      if (send.data === data && send.active === active && send.connection !== undefined) return send
    }
    return undefined
  }

  /** The slot for a further send, which may still have the oldest one. */
  next(): UntracedSend<C> {
    const send = this.#slots[this.#next] as UntracedSend<C>
    this.#next = (this.#next + 1) % this.#slots.length
    if (this.#used < this.#slots.length) this.#used++
    return send
  }

  /** The run has ended: empties the slots that have a send, with this function. */
  clear(forget: (send: UntracedSend<C>) => void): void {
    for (let index = 0; index < this.#used; index++) {
      const send = this.#slots[index] as UntracedSend<C>
      if (send.connection !== undefined) forget(send)
    }
    this.#next = 0
    this.#used = 0
  }
}
