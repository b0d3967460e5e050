/** A collection of weak references that can be iterated. */
export class References<T extends object> {
  #references: WeakRef<T>[] = []

  add(value: T): void {
    this.#references = this.#references.filter((reference) => reference.deref() !== undefined)
    this.#references.push(new WeakRef(value))
  }

  clear(): void {
    this.#references = []
  }

  /** Returns the objects that were not garbage collected. */
  values(): T[] {
    return this.#references.map((reference) => reference.deref()).filter((value) => value !== undefined)
  }
}
