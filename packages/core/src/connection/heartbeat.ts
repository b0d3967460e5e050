import { unrefInterval } from '../context/deadlines.ts'

/** Start of the payload of the heartbeat's pings: it distinguishes them from the application's. */
export const HEARTBEAT_PAYLOAD = 'otel-ws '

/** A connection that the heartbeat pings. */
export interface Pingable {
  readonly closed: boolean
  /** Milliseconds that the last ping waits for its pong; 0 if none is unanswered. */
  heartbeatOverdue(): number
  ping(payload: string): void
  /** Terminates a connection that did not answer. */
  terminateDead(): void
}

/** The pings of option `heartbeatInterval`: one timer per server, one unanswered ping per connection. */
export class Heartbeat {
  readonly #connections = new Set<Pingable>()
  readonly #terminate: boolean
  readonly #timeout: number
  readonly #interval: number
  readonly #timer: ReturnType<typeof unrefInterval>
  #round = 0
  #beatAt = performance.now()

  constructor(
    interval: number,
    options: { readonly heartbeatTimeout: number | undefined; readonly heartbeatTerminate: boolean },
  ) {
    this.#interval = interval
    this.#terminate = options.heartbeatTerminate
    this.#timeout = options.heartbeatTimeout ?? interval
    this.#timer = unrefInterval(() => this.#beat(), interval)
  }

  add(connection: Pingable): void {
    this.#connections.add(connection)
  }

  delete(connection: Pingable): void {
    this.#connections.delete(connection)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const payload = `${HEARTBEAT_PAYLOAD}${++this.#round}`
    const now = performance.now()
    // If this timer fires late, the process stalled, and peers are judged at the next beat.
    const isLate = now - this.#beatAt > this.#interval * 1.5
    this.#beatAt = now
    let silent: Pingable[] | undefined
    for (const connection of this.#connections) {
      if (connection.heartbeatOverdue() === 0) connection.ping(payload)
      else if (!isLate && this.#isSilent(connection)) {
        silent ??= []
        silent.push(connection)
      }
    }
    if (silent !== undefined) afterReading(() => this.#judge(silent, payload))
  }

  /** Connections that are still silent have missed a ping. */
  #judge(silent: readonly Pingable[], payload: string): void {
    for (const connection of silent) {
      if (connection.closed || !this.#isSilent(connection)) continue
      if (this.#terminate) connection.terminateDead()
      else connection.ping(payload)
    }
  }

  /** With a millisecond of tolerance, because timers may fire a little early. */
  #isSilent(connection: Pingable): boolean {
    return connection.heartbeatOverdue() + 1 >= this.#timeout
  }
}

/** Node runs `setImmediate` after it has read from its sockets; a timer may run before. */
const soon: (callback: () => void) => void =
  (globalThis as { setImmediate?: (callback: () => void) => void }).setImmediate ?? setTimeout

/**
 * Calls back after two turns of the event loop, in which sockets are read. After a short stall of the process, timers
 * fire before pongs that wait in the kernel are read; a peer in the same process needs the first turn to send its pong.
 */
function afterReading(callback: () => void): void {
  soon(() => soon(callback))
}
