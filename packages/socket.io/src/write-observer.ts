import { type Carrier, currentCarrier, type PropagationTerms } from '@otel-ws/core/adapter'
import type { Client } from './host.ts'

/** Observes the packets that Socket.IO writes to clients during one `emit` or one fan-out. */
export interface WriteObserver {
  /** The packet was written to the client's connection. */
  onWritten(client: Client, encoded: unknown): void
  /** The packet was volatile and the client's transport not writable, so Socket.IO dropped it. */
  onDropped(client: Client): void
  /** The client's connection was not open. */
  onSkipped(client: Client): void
  /** Creates the carrier of the packet, if it is not that of the active span. */
  createCarrier?(terms: PropagationTerms): Carrier | undefined
  /** A carrier was injected. `bytes` is its length in a packet that is JSON text. */
  onCarrierInjected?(bytes: number): void
}

/** Set while an `emit` or a fan-out runs, and only during that synchronous run. */
let observerOfCurrentRun: WriteObserver | undefined

/** Returns the observer of the current synchronous run. */
export function currentWriteObserver(): WriteObserver | undefined {
  return observerOfCurrentRun
}

/** Sets the observer of the current synchronous run. Returns the previous one, which the caller restores at the end. */
export function swapCurrentWriteObserver(next: WriteObserver | undefined): WriteObserver | undefined {
  const previous = observerOfCurrentRun
  observerOfCurrentRun = next
  return previous
}

/**
 * Creates the carrier of the packet that is being sent: of its own span if it has one, else of the active span.
 *
 * @param isBroadcast the packet is encoded for many clients
 */
export function carrierOfCurrentPacket(terms: PropagationTerms, isBroadcast = false): Carrier | undefined {
  return observerOfCurrentRun?.createCarrier?.(terms) ?? currentCarrier(terms, isBroadcast)
}
