import type { AckOutcome, AckWaiter } from '../context/ack.ts'
import type { Operation } from '../context/operation.ts'

/** The acknowledgement that the sender of a message waits for: the process span lasts until it is sent, or until the close. */
export class PendingAck implements AckWaiter {
  readonly #process: Pick<Operation, 'waitForAck' | 'ackSettled'>
  readonly #waiters: Set<AckWaiter>
  #settled = false

  constructor(process: Pick<Operation, 'waitForAck' | 'ackSettled'>, waiters: Set<AckWaiter>) {
    this.#process = process
    this.#waiters = waiters
    waiters.add(this)
    process.waitForAck(this)
  }

  settle(outcome: AckOutcome): void {
    if (this.#settled) return
    this.cancel()
    this.#process.ackSettled(outcome)
  }

  /** The process does not wait for it any longer. */
  cancel(): void {
    if (this.#settled) return
    this.#settled = true
    this.#waiters.delete(this)
  }
}
