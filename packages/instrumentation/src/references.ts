/** A collection that can be gone through and keeps nothing alive. */
export class References<T extends object> {
  #references: WeakRef<T>[] = []

  add(value: T): void {
    this.#references = this.#references.filter((reference) => reference.deref() !== undefined)
    this.#references.push(new WeakRef(value))
  }

  clear(): void {
    this.#references = []
  }

  /** What is still alive. */
  values(): T[] {
    return this.#references.map((reference) => reference.deref()).filter((value) => value !== undefined)
  }
}
