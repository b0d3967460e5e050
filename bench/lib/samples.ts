import type { Slice } from './measure.ts'
import type { Subject } from './subjects.ts'

/** Measurements on one Node.js so far, by the subjects' keys. */
export class Samples {
  /** Slices of each round. The same place in two lists of a host is the same turn: a pair. */
  readonly #slices = new Map<string, Slice[][]>()
  readonly #allocated = new Map<string, number>()
  readonly #heap = new Map<string, number[]>()

  /** Starts a round for these subjects. */
  startRound(subjects: readonly Subject[]): void {
    for (const { key } of subjects) this.#slices.set(key, [...this.slices(key), []])
  }

  /** Adds the slices of one turn to the round that was started last. */
  addTurn(subjects: readonly Subject[], slices: readonly Slice[]): void {
    for (const [i, { key }] of subjects.entries()) this.slices(key).at(-1)?.push(slices[i]!)
  }

  setAllocated({ key }: Subject, bytes: number): void {
    this.#allocated.set(key, bytes)
  }

  addHeap({ key }: Subject, bytes: number): void {
    this.#heap.set(key, [...this.heap(key), bytes])
  }

  slices(key: string): Slice[][] {
    return this.#slices.get(key) ?? []
  }

  /** Bytes allocated per message, if they have been measured. */
  allocated(key: string): number | undefined {
    return this.#allocated.get(key)
  }

  /** Bytes per idle connection of each round. */
  heap(key: string): number[] {
    return this.#heap.get(key) ?? []
  }
}
