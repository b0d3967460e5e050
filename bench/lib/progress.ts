/** Writes a line to standard error after each step of a run: how far it is, for how long it has run, and a result so far. */
export class Progress {
  readonly #steps: number
  readonly #startedAt = performance.now()
  #done = 0

  constructor(steps: number) {
    this.#steps = steps
  }

  done(step: string, result: string): void {
    this.#done++
    const width = `${this.#steps}`.length
    const seconds = Math.round((performance.now() - this.#startedAt) / 1000)
    const clock = `${Math.floor(seconds / 60)}:${`${seconds % 60}`.padStart(2, '0')}`
    process.stderr.write(`${`${this.#done}`.padStart(width)} of ${this.#steps}, ${clock}  ${step}: ${result}\n`)
  }
}
