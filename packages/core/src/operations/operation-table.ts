import type { OpenOperation } from './open-operation.ts'

/** Operations that may be open in a process. */
const MAX_IN_PROCESS = 100_000

let openInProcess = 0

/** The open operations of one direction of a connection. Requests are evicted before streams, the oldest first. */
export class OperationTable {
  readonly #max: number
  /** The one open request, while there is only one: a map is rebuilt every few times that it is filled and emptied. */
  #sole: OpenOperation | undefined
  readonly #requests = new Map<string, OpenOperation>()
  readonly #streams = new Map<string, OpenOperation>()

  /** @param max operations that may be open */
  constructor(max: number) {
    this.#max = max
  }

  get size(): number {
    return (this.#sole === undefined ? 0 : 1) + this.#requests.size + this.#streams.size
  }

  get(key: string): OpenOperation | undefined {
    if (this.#sole?.key === key) return this.#sole
    return this.#requests.get(key) ?? this.#streams.get(key)
  }

  /** Adds an operation, in place of one with the same key. */
  add(operation: OpenOperation): void {
    const { key } = operation
    this.get(key)?.end('abandoned')
    if (this.size >= this.#max || openInProcess >= MAX_IN_PROCESS) this.#evict()
    openInProcess++
    if (operation.isStream) this.#streams.set(key, operation)
    else if (this.#sole === undefined && this.#requests.size === 0) this.#sole = operation
    else {
      this.#keepSole()
      this.#requests.set(key, operation)
    }
  }

  delete(operation: OpenOperation): void {
    if (this.#sole === operation) this.#sole = undefined
    else if (!remove(this.#requests, operation) && !remove(this.#streams, operation)) return
    openInProcess--
  }

  /** A request has turned out to be a stream. */
  promote(operation: OpenOperation): void {
    if (this.#sole === operation) this.#sole = undefined
    else if (!remove(this.#requests, operation)) return
    this.#streams.set(operation.key, operation)
  }

  /** Ends all, because their connection has closed. */
  disconnect(): void {
    for (const operation of this.#all()) {
      operation.end('disconnected', 'disconnect')
    }
  }

  /** Takes out all. */
  clear(): OpenOperation[] {
    const operations = this.#all()
    for (const operation of operations) this.delete(operation)
    return operations
  }

  #evict(): void {
    const oldest = this.#sole ?? this.#requests.values().next().value ?? this.#streams.values().next().value
    oldest?.end('abandoned')
  }

  /** Requests, the oldest first, and then streams. */
  #all(): OpenOperation[] {
    this.#keepSole()
    return [...this.#requests.values(), ...this.#streams.values()]
  }

  #keepSole(): void {
    const sole = this.#sole
    if (sole === undefined) return
    this.#sole = undefined
    this.#requests.set(sole.key, sole)
  }
}

/** Takes an operation out of a map that has it. Returns false if it has not. */
function remove(operations: Map<string, OpenOperation>, operation: OpenOperation): boolean {
  return operations.get(operation.key) === operation && operations.delete(operation.key)
}
