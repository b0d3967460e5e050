import { unrefInterval } from '../context/deadlines.ts'

/** Ticks of a timeout. */
const TICKS = 10

/** A clock whose time is a small integer that a timer increments: reading it for each message costs a field. */
export class CoarseClock {
  now = 0
  readonly #timer: ReturnType<typeof unrefInterval> | undefined

  /** @param timeout milliseconds that {@link isOver} finds to within a tenth; `undefined` for a clock that stands still */
  constructor(timeout: number | undefined) {
    if (timeout !== undefined) this.#timer = unrefInterval(() => void this.now++, timeout / TICKS)
  }

  /** True if the clock has a timeout. */
  get isRunning(): boolean {
    return this.#timer !== undefined
  }

  /** True if the timeout has passed since. */
  isOver(since: number): boolean {
    return this.#timer !== undefined && this.now - since > TICKS
  }

  stop(): void {
    clearInterval(this.#timer)
  }
}
