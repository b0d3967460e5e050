import type { Socket } from 'socket.io'
import type { WebSocket } from 'ws'

/** A client of either platform. */
export type Client = WebSocket | Socket

/** A connected client and its user. */
export interface Caller {
  readonly client: Client
  /** `undefined` if the client did not send one. */
  readonly user: string | undefined
  readonly isSubscriber: boolean
  /** Timers that ring unless the caller has left. */
  readonly timers: Set<NodeJS.Timeout>
}
