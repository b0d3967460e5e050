import { createHash } from 'node:crypto'
import { plain } from '../shared/plain.ts'
import { turns } from '../shared/turns.ts'
import { withProcessErrors } from '../testing/process-errors.ts'

/** Entries by the part of the application that saw them. */
export type Logs = Readonly<Record<string, readonly unknown[]>>

/** What each part of an application saw, in order: the parts run beside each other, so they have a log each. */
export class Log {
  readonly #entries = new Map<string, unknown[]>()

  add(part: string, ...entry: unknown[]): void {
    const entries = this.#entries.get(part) ?? []
    this.#entries.set(part, entries)
    entries.push(entry.map((value) => shortened(plain(value))))
  }

  /** The logs by part. */
  result(): Logs {
    return Object.fromEntries([...this.#entries].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** Forgets the log of a part. */
  forget(part: string): void {
    this.#entries.delete(part)
  }

  /** Sorts the log of a part whose order is not promised. */
  sort(part: string): void {
    this.#entries.get(part)?.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1))
  }
}

/** The logs of an application that runs until `run` resolves, with the errors that reached the process. */
export function recordLogs(run: (log: Log) => Promise<void>): Promise<Logs> {
  return withProcessErrors(async (errors) => {
    const log = new Log()
    await run(log)
    await turns(10)
    while (errors.size > 0) {
      const { event, error } = await errors.next()
      log.add('errors', event, error)
    }
    log.sort('errors')
    return log.result()
  })
}

/** Long texts by their hash and objects of classes by their names, so that a failure can be read. */
function shortened(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(shortened)
  if (ArrayBuffer.isView(value)) return `${value.constructor.name} of ${value.byteLength}`
  if (typeof value === 'object' && value !== null) {
    const prototype = Object.getPrototypeOf(value) as { readonly constructor: { readonly name: string } } | null
    return prototype === null || prototype === Object.prototype ? value : `a ${prototype.constructor.name}`
  }
  if (typeof value !== 'string' || value.length < 200) return value
  return `${value.slice(0, 20)}… ${value.length} characters, ${createHash('sha1').update(value).digest('hex')}`
}
