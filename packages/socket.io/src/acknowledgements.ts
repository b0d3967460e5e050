import { type Broadcast, isNativePromise } from '@otel-ws/core/adapter'

type Callback = (...args: unknown[]) => unknown

/**
 * Follows the acknowledgements of a broadcast by the same sums as the host: it is complete when every server has told
 * how many clients it sent to, and as many have answered; and it has timed out when the host's timer says so.
 */
export class Acknowledgements {
  readonly #broadcast: Broadcast
  readonly #timer: ReturnType<typeof setTimeout>
  #expectedServers = -1
  #servers = 0
  #clients = 0
  #responses = 0
  #settled = false

  /** @param timeout as the host has it: `undefined` is the least that a timer takes */
  constructor(broadcast: Broadcast, timeout: number | undefined) {
    this.#broadcast = broadcast
    broadcast.hold()
    // Made after the host's own timer of the same length, so that it also fires after it.
    this.#timer = setTimeout(() => this.#settle('timeout'), timeout)
    this.#timer.unref()
  }

  /** The host's callback for a server's number of clients. */
  counting(callback: Callback): Callback {
    const told = (count: unknown) => {
      this.#servers++
      if (typeof count === 'number') this.#clients += count
      this.#check()
    }
    return function (this: unknown, ...args) {
      told(args[0])
      return callback.apply(this, args)
    }
  }

  /** The host's callback for a client's answer. */
  answering(callback: Callback): Callback {
    const told = () => {
      this.#responses++
      this.#check()
    }
    return function (this: unknown, ...args) {
      told()
      return callback.apply(this, args)
    }
  }

  /** The number of servers that the host waits for, as soon as the adapter knows it. */
  expecting(servers: unknown): void {
    if (!isNativePromise(servers)) return
    servers.then(
      (count) => {
        this.#expectedServers = count as number
        this.#check()
      },
      // Nobody but the host is told: it waits for its timer then, and so do we.
      () => {},
    )
  }

  /** The host could not broadcast. */
  abandon(): void {
    if (this.#settled) return
    this.#settled = true
    clearTimeout(this.#timer)
    this.#broadcast.done()
  }

  #check(): void {
    if (this.#servers === this.#expectedServers && this.#responses === this.#clients) this.#settle('ok')
  }

  #settle(outcome: 'ok' | 'timeout'): void {
    if (this.#settled) return
    this.#broadcast.acknowledged(outcome, this.#clients - this.#responses)
    this.abandon()
  }
}
