import { HEARTBEAT_PAYLOAD } from './heartbeat.ts'

/**
 * Milliseconds after which an unanswered ping of the application counts as missed when the application terminates, while its
 * interval is unknown.
 */
const APPLICATION_PING_TIMEOUT = 1000
/** Part of the application's interval between pings after which an unanswered one counts as missed: timers may fire early. */
const INTERVAL_PART = 0.9

interface Ping {
  payload: string | undefined
  sentAt: number
  /** Milliseconds between the last two; 0 before there are two. */
  interval: number
}

/** The pings of one connection: those of option `heartbeatInterval`, and the application's own. */
export class Pings {
  /** Seconds of the last round trip. */
  rtt: number | undefined
  readonly #heartbeat: Ping = { payload: undefined, sentAt: 0, interval: 0 }
  readonly #application: Ping = { payload: undefined, sentAt: 0, interval: 0 }

  /** Returns true if the previous ping of the same sender is still unanswered: it counts as missed. */
  sent(payload: string): boolean {
    const ping = this.#ping(payload)
    const isMissed = ping.payload !== undefined
    ping.payload = payload
    const now = performance.now()
    if (ping.sentAt !== 0) ping.interval = now - ping.sentAt
    ping.sentAt = now
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
   * reason. Its own heartbeat terminates when the next ping would be due.
   *
   * @param timeout milliseconds, of option `heartbeatTimeout`
   */
  isTerminationTimeout(timeout: number | undefined): boolean {
    const late = [this.#heartbeat, this.#application].find((ping) => overdue(ping) >= (timeout ?? timeoutOf(ping)))
    if (late === undefined) return false
    late.payload = undefined
    return true
  }

  #ping(payload: string): Ping {
    return payload.startsWith(HEARTBEAT_PAYLOAD) ? this.#heartbeat : this.#application
  }
}

function timeoutOf({ interval }: Ping): number {
  return interval === 0 ? APPLICATION_PING_TIMEOUT : interval * INTERVAL_PART
}

function overdue(ping: Ping): number {
  return ping.payload === undefined ? 0 : performance.now() - ping.sentAt
}
