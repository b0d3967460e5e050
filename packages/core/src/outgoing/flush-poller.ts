import { unref } from '../context/deadlines.ts'

/** What a host keeps of messages that the kernel has not taken yet, such as a `ws` socket. */
export interface Buffers {
  readonly bufferedAmount: number
}

/** Most milliseconds between two looks. */
const MAX_WAIT = 1000

/**
 * Messages of one connection that the kernel did not take during their call, which is rare: hosts that were given no
 * callback do not tell when it does. Looks for it, less and less often, until it has or the connection is over.
 */
export class FlushPoller {
  readonly #waiting = new Set<() => void>()

  /** @param written called once: when the buffers are empty, or with the end of the connection */
  add(buffers: Buffers, written: () => void): void {
    this.#waiting.add(written)
    this.#look(buffers, written, 1)
  }

  /** The connection is over. */
  end(): void {
    for (const written of this.#waiting) this.#settle(written)
  }

  #look(buffers: Buffers, written: () => void, wait: number): void {
    const look = () => {
      if (buffers.bufferedAmount === 0) this.#settle(written)
      else if (this.#waiting.has(written)) this.#look(buffers, written, Math.min(wait * 2, MAX_WAIT))
    }
    unref(setTimeout(look, wait))
  }

  #settle(written: () => void): void {
    if (this.#waiting.delete(written)) written()
  }
}
