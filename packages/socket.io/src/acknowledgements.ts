import { type Broadcast, whenSettled } from '@otel-ws/core/adapter'

type Callback = (...args: unknown[]) => unknown

/**
 * Ends a broadcast when its acknowledgements are complete, by the same sums as Socket.IO: each server reports how many
 * clients it sent the event to, and as many acknowledgements must arrive before the timeout.
 */
export class Acknowledgements {
  readonly #broadcast: Broadcast
  readonly #timer: ReturnType<typeof setTimeout>
  #expectedServers = -1
  #servers = 0
  #clients = 0
  #responses = 0
  #settled = false

  /** @param timeout in milliseconds, as given to Socket.IO: `undefined` is the shortest timer */
  constructor(broadcast: Broadcast, timeout: number | undefined) {
    this.#broadcast = broadcast
    broadcast.hold()
    // Created after Socket.IO's timer of the same length, so that it fires after it.
    this.#timer = setTimeout(() => this.#settle('timeout'), timeout)
    this.#timer.unref()
  }

  /** Wraps the callback that Socket.IO calls with the number of clients of one server. */
  wrapClientCount(callback: Callback): Callback {
    const onCount = (count: unknown) => {
      this.#servers++
      if (typeof count === 'number') this.#clients += count
      this.#check()
    }
    return function (this: unknown, ...args) {
      onCount(args[0])
      return callback.apply(this, args)
    }
  }

  /** Wraps the callback that Socket.IO calls with the acknowledgement of one client. */
  wrapAck(callback: Callback): Callback {
    const onAck = () => {
      this.#responses++
      this.#check()
    }
    return function (this: unknown, ...args) {
      onAck()
      return callback.apply(this, args)
    }
  }

  /** Sets the number of servers that must report, when the adapter's promise of it resolves. */
  expectServers(servers: unknown): void {
    whenSettled(
      servers,
      (count) => {
        this.#expectedServers = count as number
        this.#check()
      },
      // Without the number Socket.IO waits until its timeout, and so does this class.
      () => {},
    )
  }

  /** Stops waiting without an outcome, because the broadcast itself failed. */
  cancel(): void {
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
    this.cancel()
  }
}
