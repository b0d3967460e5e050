import { ATTR_WEBSOCKET_ACK_OUTCOME } from '../schema.ts'
import type { Process } from './process.ts'

/** What became of an acknowledgement. */
export type AckOutcome = 'ok' | 'timeout' | 'disconnected'

/** Something that waits for an acknowledgement, in either direction. It is settled once; later calls do nothing. */
export interface AckWaiter {
  settle(outcome: AckOutcome): void
}

/** What an acknowledgement is owed by, on either end. */
type AckedOperation = Pick<Process, 'span' | 'waitForAck' | 'done'>

/** The acknowledgement that this side owes to the sender of a message: its process span lasts until it is sent. */
export class PendingAck implements AckWaiter {
  readonly #process: AckedOperation
  readonly #waiters: Set<AckWaiter>
  #settled = false

  constructor(process: AckedOperation, waiters: Set<AckWaiter>) {
    this.#process = process
    this.#waiters = waiters
    waiters.add(this)
    process.waitForAck(this)
  }

  settle(outcome: AckOutcome): void {
    if (this.#settled) return
    this.#process.span?.setAttribute(ATTR_WEBSOCKET_ACK_OUTCOME, outcome)
    this.cancel()
  }

  /** The handler failed: nobody can tell whether it would have answered, and its span need not wait. */
  cancel(): void {
    if (this.#settled) return
    this.#settled = true
    this.#waiters.delete(this)
    this.#process.done()
  }
}
