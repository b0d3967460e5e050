import { unrefInterval } from '../context/deadlines.ts'
import type { Telemetry } from '../telemetry.ts'
import type { Connection } from './connection.ts'

/** What the payload of our pings starts with. */
export const HEARTBEAT_PAYLOAD = 'otel-ws '

/**
 * Pings of ours, with option `heartbeatInterval`: one timer per server, one outstanding ping per connection. The payload
 * is our own, so that the application's pings and unsolicited pongs are told apart.
 */
export class Heartbeat {
  readonly #connections = new Set<Connection>()
  readonly #terminate: boolean
  readonly #timeout: number
  readonly #interval: number
  readonly #timer: ReturnType<typeof unrefInterval>
  #round = 0
  #beatAt = performance.now()

  constructor(telemetry: Telemetry) {
    const { heartbeatInterval, heartbeatTimeout, heartbeatTerminate } = telemetry.options
    const interval = heartbeatInterval as number
    this.#interval = interval
    this.#terminate = heartbeatTerminate
    this.#timeout = heartbeatTimeout ?? interval
    this.#timer = unrefInterval(() => this.#beat(), interval)
  }

  add(connection: Connection): void {
    this.#connections.add(connection)
  }

  delete(connection: Connection): void {
    this.#connections.delete(connection)
  }

  stop(): void {
    clearInterval(this.#timer)
  }

  #beat(): void {
    const payload = `${HEARTBEAT_PAYLOAD}${++this.#round}`
    const now = performance.now()
    // A beat that comes late tells of a stall of this process: of its peers the next one will tell.
    const isLate = now - this.#beatAt > this.#interval * 1.5
    this.#beatAt = now
    let silent: Connection[] | undefined
    for (const connection of this.#connections) {
      if (connection.heartbeatOverdue() === 0) connection.ping(payload)
      else if (!isLate && this.#isSilent(connection)) {
        silent ??= []
        silent.push(connection)
      }
    }
    if (silent !== undefined) afterReading(() => this.#judge(silent, payload))
  }

  /** What is silent still has missed a ping. */
  #judge(silent: readonly Connection[], payload: string): void {
    for (const connection of silent) {
      if (connection.closed || !this.#isSilent(connection)) continue
      if (this.#terminate) connection.terminateDead()
      else connection.ping(payload)
    }
  }

  /** A timer may fire a little early: what is due within a millisecond is due. */
  #isSilent(connection: Connection): boolean {
    return connection.heartbeatOverdue() + 1 >= this.#timeout
  }
}

/** Node calls it after it has read what has arrived; a timer may be called before. */
const soon: (callback: () => void) => void =
  (globalThis as { setImmediate?: (callback: () => void) => void }).setImmediate ?? setTimeout

/**
 * Calls back when the event loop has had two turns to read what has arrived. After a short stall of the process timers
 * fire before the pongs that wait in the kernel are read; a peer in this process needs the first turn to send its own.
 */
function afterReading(callback: () => void): void {
  soon(() => soon(callback))
}
