/** Outcome of an acknowledgement. */
export type AckOutcome = 'ok' | 'timeout' | 'disconnected'

/** An acknowledgement that has not arrived, in either direction. It is settled once; later calls do nothing. */
export interface AckWaiter {
  settle(outcome: AckOutcome): void
}
