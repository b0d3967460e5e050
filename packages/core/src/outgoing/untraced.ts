import type { Context } from '@opentelemetry/api'
import type { Connection } from '../connection/connection.ts'

/** A send that gets no span, to one connection as far as is known. */
class UntracedSend {
  connection: Connection | undefined
  data: unknown
  active: Context | undefined
  startTime = 0
  wasOpen = false
  sentBefore = 0

  /** True when the host has taken the message since. */
  get wasSent(): boolean {
    return this.wasOpen && this.connection !== undefined && this.connection.sent > this.sentBefore
  }

  forget(): void {
    this.connection = undefined
    this.data = undefined
    this.active = undefined
  }
}

/**
 * Remembers the sends of one run that get no span, to know the second step of a broadcast, whose metrics are exact all
 * the same. Its places are used again and again: most messages go to one peer, and make nothing here.
 */
export class UntracedSends {
  readonly #places: readonly UntracedSend[]
  #next = 0
  #used = 0

  /** @param size payloads that a run may send in turn before the oldest is forgotten */
  constructor(size: number) {
    this.#places = Array.from({ length: size }, () => new UntracedSend())
  }

  get isEmpty(): boolean {
    return this.#used === 0
  }

  /** The send of the same payload in the same run. */
  find(data: unknown, active: Context): UntracedSend | undefined {
    for (let index = 0; index < this.#used; index++) {
      const send = this.#places[index] as UntracedSend
      if (send.data === data && send.active === active && send.connection !== undefined) return send
    }
    return undefined
  }

  /** @param isOpen false for a connection that is passed over */
  add(connection: Connection, data: unknown, active: Context, isOpen: boolean): void {
    const send = this.#places[this.#next] as UntracedSend
    this.#next = (this.#next + 1) % this.#places.length
    if (this.#used < this.#places.length) this.#used++
    send.connection = connection
    send.data = data
    send.active = active
    send.startTime = performance.now()
    send.wasOpen = isOpen
    send.sentBefore = connection.sent
  }

  /** The run is over. */
  clear(): void {
    for (let index = 0; index < this.#used; index++) this.#places[index]?.forget()
    this.#next = 0
    this.#used = 0
  }
}
