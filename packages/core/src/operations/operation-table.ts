import type { OpenOperation } from './open-operation.ts'

/** Operations that may be open in a process. */
const MAX_IN_PROCESS = 100_000

let openInProcess = 0

/** The open operations of one direction of a connection. Requests are evicted before streams, the oldest first. */
export class OperationTable {
  readonly #max: number
  readonly #requests = new Map<string, OpenOperation>()
  readonly #streams = new Map<string, OpenOperation>()

  /** @param max operations that may be open */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return this.#requests.size + this.#streams.size
  }

  get(key: string): OpenOperation | undefined {
    return this.#requests.get(key) ?? this.#streams.get(key)
  }

  /** Adds an operation, in place of one with the same key. */
  add(operation: OpenOperation): void {
    const { key } = operation
    this.get(key)?.end('abandoned')
    if (this.size >= this.#max || openInProcess >= MAX_IN_PROCESS) this.#evict()
    const names = operation.isStream ? this.#streams : this.#requests
    names.set(key, operation)
    openInProcess++
  }

  delete(operation: OpenOperation): void {
    const { key } = operation
    for (const operations of [this.#requests, this.#streams]) {
      if (operations.get(key) !== operation) continue
      operations.delete(key)
      openInProcess--
    }
  }

  /** A request has turned out to be a stream. */
  promote(operation: OpenOperation): void {
    if (this.#requests.get(operation.key) !== operation) return
    this.#requests.delete(operation.key)
    this.#streams.set(operation.key, operation)
  }

  /** Ends all, because their connection has closed. */
  disconnect(): void {
    for (const operation of [...this.#requests.values(), ...this.#streams.values()]) {
      operation.end('disconnected', 'disconnect')
    }
  }

  /** Takes out all. */
  clear(): OpenOperation[] {
    const operations = [...this.#requests.values(), ...this.#streams.values()]
    for (const operation of operations) this.delete(operation)
    return operations
  }

  #evict(): void {
    const oldest = this.#requests.values().next().value ?? this.#streams.values().next().value
    oldest?.end('abandoned')
  }
}
