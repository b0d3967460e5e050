import type { AckOutcome, AckWaiter } from '../context/ack.ts'
import type { Operation } from '../context/operation.ts'
import { ATTR_WEBSOCKET_ACK_OUTCOME } from '../schema.ts'

/** The acknowledgement that the sender of a message waits for: the process span lasts until it is sent. */
export class PendingAck implements AckWaiter {
  readonly #process: Pick<Operation, 'span' | 'waitForAck' | 'done'>
  readonly #waiters: Set<AckWaiter>
  #settled = false

  constructor(process: Pick<Operation, 'span' | 'waitForAck' | 'done'>, waiters: Set<AckWaiter>) {
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

  /** The handler failed: whether it would have acknowledged is unknown, and its span does not wait for it. */
  cancel(): void {
    if (this.#settled) return
    this.#settled = true
    this.#waiters.delete(this)
    this.#process.done()
  }
}
