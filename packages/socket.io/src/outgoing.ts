import type { Carrier, PropagationTerms } from '@otel-ws/core/adapter'
import type { Client } from './host.ts'

/** What Socket.IO is sending right now, in this synchronous run: who wrote a packet to a client is told of it. */
export interface Outgoing {
  /** The packet goes to the client. */
  written(client: Client, encoded: unknown): void
  /** The client's transport is busy and the application allowed to drop the packet. */
  dropped(client: Client): void
  /** The client's connection is not open. */
  skipped(client: Client): void
  /** What the packet carries, when it has a span of its own that is not active. */
  carrier?(agreement: PropagationTerms): Carrier | undefined
  /** Bytes that the packet has more than without its carrier, when it is JSON text. */
  carried?(bytes: number): void
}

let current: Outgoing | undefined

export function outgoing(): Outgoing | undefined {
  return current
}

/** Makes this what is being sent and returns what was before; give it back when the run is over. */
export function swapOutgoing(next: Outgoing | undefined): Outgoing | undefined {
  const before = current
  current = next
  return before
}
