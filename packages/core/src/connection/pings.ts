import { HEARTBEAT_PAYLOAD } from './heartbeat.ts'

/** Milliseconds after which an unanswered ping of the application counts as missed when the application terminates. */
const APPLICATION_PING_TIMEOUT = 1000

interface Ping {
  payload: string | undefined
  sentAt: number
}

/** The pings of one connection: those of option `heartbeatInterval`, and the application's own. */
export class Pings {
  /** Seconds of the last round trip. */
  rtt: number | undefined
  readonly #heartbeat: Ping = { payload: undefined, sentAt: 0 }
  readonly #application: Ping = { payload: undefined, sentAt: 0 }

  /** Returns true if the previous ping of the same sender is still unanswered: it counts as missed. */
  sent(payload: string): boolean {
    const ping = this.#ping(payload)
    const isMissed = ping.payload !== undefined
    ping.payload = payload
    ping.sentAt = performance.now()
    return isMissed
  }

  /** Returns the seconds of the round trip; `undefined` for a pong that does not answer the latest ping. */
  answered(payload: string): number | undefined {
    const ping = this.#ping(payload)
    if (payload !== ping.payload) return undefined
    ping.payload = undefined
    this.rtt = (performance.now() - ping.sentAt) / 1000
    return this.rtt
  }

  /** Milliseconds that the ping of the heartbeat waits for its pong; 0 if none is unanswered. */
  heartbeatOverdue(): number {
    return overdue(this.#heartbeat)
  }

  heartbeatMissed(): void {
    this.#heartbeat.payload = undefined
  }

  /**
   * The application terminates the connection. Returns true if a ping has been unanswered for too long: then that is the
   * reason.
   *
   * @param timeout milliseconds, of option `heartbeatTimeout`
   */
  isTerminationTimeout(timeout = APPLICATION_PING_TIMEOUT): boolean {
    const late = [this.#heartbeat, this.#application].find((ping) => overdue(ping) >= timeout)
    if (late === undefined) return false
    late.payload = undefined
    return true
  }

  #ping(payload: string): Ping {
    return payload.startsWith(HEARTBEAT_PAYLOAD) ? this.#heartbeat : this.#application
  }
}

function overdue(ping: Ping): number {
  return ping.payload === undefined ? 0 : performance.now() - ping.sentAt
}
