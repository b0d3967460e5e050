import type { Connection } from './connection.ts'
import { unrefInterval } from './expiry.ts'
import type { Telemetry } from './telemetry.ts'

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
  readonly #timer: ReturnType<typeof unrefInterval>
  #round = 0

  constructor(telemetry: Telemetry) {
    const { heartbeatInterval, heartbeatTimeout, heartbeatTerminate } = telemetry.options
    const interval = heartbeatInterval as number
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
    for (const connection of this.#connections) {
      const overdue = connection.heartbeatOverdue()
      // A timer may fire a little early: what is due within a millisecond is due.
      if (overdue === 0) connection.ping(payload)
      else if (overdue + 1 >= this.#timeout) {
        if (this.#terminate) connection.terminateDead()
        else connection.ping(payload)
      }
    }
  }
}
