import { unref } from '../context/deadlines.ts'

/** A buffer of messages that the kernel has not accepted yet, such as a `ws` socket. */
export interface Buffers {
  readonly bufferedAmount: number
}

/** Longest time between two polls, in milliseconds. */
const MAX_WAIT = 1000

/**
 * Finds out when messages are flushed that the kernel did not accept during the call of `send`, which is rare. Without a
 * callback the host does not report it, so `bufferedAmount` is polled, less and less often, until the connection ends.
 */
export class FlushPoller {
  readonly #waiting = new Set<() => void>()

  /** @param written called once: when the buffers are empty, or at the end of the connection */
  add(buffers: Buffers, written: () => void): void {
    this.#waiting.add(written)
    this.#poll(buffers, written, 1)
  }

  /** The connection has ended. */
  end(): void {
    for (const written of this.#waiting) this.#settle(written)
  }

  #poll(buffers: Buffers, written: () => void, wait: number): void {
    const poll = () => {
      if (buffers.bufferedAmount === 0) this.#settle(written)
      else if (this.#waiting.has(written)) this.#poll(buffers, written, Math.min(wait * 2, MAX_WAIT))
    }
    unref(setTimeout(poll, wait))
  }

  #settle(written: () => void): void {
    if (this.#waiting.delete(written)) written()
  }
}
