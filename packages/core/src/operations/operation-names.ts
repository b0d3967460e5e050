import { OTHER } from '../schema.ts'
import { BoundedNames, isCleanName, spanName } from '../span/names.ts'

/** Names of operations that have succeeded, of all connections together. */
const MAX_NAMES = 200
/** Names of operations that have not succeeded yet. */
const MAX_UNPROVEN = 50
/** Names that one connection may add to either. */
const MAX_PER_CONNECTION = 20
const MAX_LENGTH = 64
const MAX_CODES = 50

/** Which names of operations are recorded: a list, a pattern, or a function that returns the name to record. */
export type OperationNameRule = readonly string[] | RegExp | ((name: string) => string | undefined)

/** A name that has passed the limits, with the span names made from it. */
export interface OperationName {
  /** `undefined` for operations without a name. */
  readonly name: string | undefined
  readonly process: string
  readonly send: string
  readonly complete: string
}

/** What one connection has added. */
export interface NameCounts {
  proven: number
  unproven: number
}

/** The name of what has none: its spans carry a word for it, such as the type or the route. */
export function operationName(name: string | undefined, subject = name): OperationName {
  return {
    name,
    process: spanName('process', subject),
    send: spanName('send', subject),
    complete: spanName('complete', subject),
  }
}

const OTHER_OPERATION = operationName(OTHER)

/**
 * The names of operations. Without a rule of the application, a name belongs to the proven ones once an operation has
 * succeeded under it. Names that have only failed are fewer, and never take the place of a proven one: peers invent them.
 */
export class OperationNames {
  readonly #rule: OperationNameRule | undefined
  readonly #proven = new Map<string, OperationName>()
  readonly #unproven = new Map<string, OperationName>()
  readonly #codes = new BoundedNames(MAX_CODES, MAX_LENGTH)

  constructor(rule: OperationNameRule | undefined) {
    this.#rule = rule
  }

  /** The name, if it is known when the operation begins. */
  known(raw: string): OperationName | undefined {
    const known = this.#proven.get(raw) ?? this.#unproven.get(raw)
    return known === undefined && this.#rule !== undefined ? this.#byRule(raw) : known
  }

  /** The name, when it is known whether the operation has succeeded. */
  settle(raw: string, succeeded: boolean, counts: NameCounts): OperationName {
    const proven = this.#proven.get(raw)
    if (proven !== undefined) return proven
    if (this.#rule !== undefined) return this.#byRule(raw)
    const known = this.#unproven.get(raw)
    if (!succeeded) return known ?? this.#add(this.#unproven, MAX_UNPROVEN, raw, counts, 'unproven')
    const added = this.#add(this.#proven, MAX_NAMES, raw, counts, 'proven')
    if (added !== OTHER_OPERATION) this.#unproven.delete(raw)
    return added === OTHER_OPERATION && known !== undefined ? known : added
  }

  /** A code of failures, or `_OTHER`. */
  code(raw: string | undefined): string {
    return raw === undefined ? OTHER : this.#codes.label(raw)
  }

  #add(
    names: Map<string, OperationName>,
    most: number,
    raw: string,
    counts: NameCounts,
    kind: keyof NameCounts,
  ): OperationName {
    if (names.size >= most || counts[kind] >= MAX_PER_CONNECTION || !isCleanName(raw, MAX_LENGTH))
      return OTHER_OPERATION
    counts[kind]++
    const name = operationName(raw)
    names.set(raw, name)
    return name
  }

  #byRule(raw: string): OperationName {
    const rule = this.#rule
    let name: unknown
    if (typeof rule === 'function') name = this.#called(rule, raw)
    else if (rule instanceof RegExp) {
      rule.lastIndex = 0
      name = rule.test(raw) ? raw : undefined
    } else name = rule?.includes(raw) ? raw : undefined
    if (typeof name !== 'string' || this.#proven.size >= MAX_NAMES || !isCleanName(name, MAX_LENGTH))
      return OTHER_OPERATION
    const allowed = operationName(name)
    this.#proven.set(raw, allowed)
    return allowed
  }

  #called(rule: (name: string) => string | undefined, raw: string): unknown {
    try {
      return rule(raw)
    } catch {
      return undefined
    }
  }
}
