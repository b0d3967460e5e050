import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { Counted, FailingHandler, Highlights, SlowHandler } from '../wire.ts'
import { type Connection, wasDropped } from './connections.ts'
import { Durations } from './durations.ts'
import { isOfClient, type Operation } from './operation.ts'

interface Handler {
  readonly name: string
  readonly ofClient: boolean
  readonly durations: Durations
  readonly errors: Map<string, number>
  failed: number
}

/** Kinds of handler, rejection and drop that are told apart; names beyond it count under `_OTHER`. */
const most = 500
/** A p95 below this is not worth a person's first look, in milliseconds. */
const slow = 20
/** What is told of each kind besides the first. */
const mostAlso = 4

/** What a newcomer should look at first, counted from the spans and connections that are kept. */
export class HighlightCounts {
  readonly #handlers = new Map<string, Handler>()
  readonly #rejections = new Map<string, number>()
  /** As clients tell them: of servers that tell nothing themselves. */
  readonly #clientRejections = new Map<string, number>()

  add(span: Span, operation: Operation): void {
    if (operation === 'process') {
      const handler = this.#handler(span)
      handler.durations.add(span.duration)
      if (span.error) {
        handler.failed++
        change(handler.errors, errorType(span), 1)
      }
    } else this.#changeRejections(span, operation, 1)
  }

  remove(span: Span, operation: Operation): void {
    if (operation === 'process') {
      const key = this.#keyOf(span)
      const handler = this.#handlers.get(key)
      if (handler === undefined) return
      handler.durations.remove(span.duration)
      if (span.error) {
        handler.failed--
        change(handler.errors, errorType(span), -1)
      }
      if (handler.durations.count === 0) this.#handlers.delete(key)
    } else this.#changeRejections(span, operation, -1)
  }

  read(connections: Iterable<Connection>): Highlights {
    const drops = new Map<string, number>()
    for (const connection of connections) if (wasDropped(connection)) change(drops, ending(connection), 1)
    return {
      slowest: this.#slowest(),
      failing: this.#failing(),
      rejected: counted(this.#rejections.size > 0 ? this.#rejections : this.#clientRejections),
      dropped: counted(drops),
    }
  }

  clear(): void {
    this.#handlers.clear()
    this.#rejections.clear()
    this.#clientRejections.clear()
  }

  #slowest(): SlowHandler[] {
    return [...this.#handlers.values()]
      .map(({ name, ofClient, durations }) => ({
        name,
        ofClient,
        p95: durations.quantile(0.95),
        count: durations.count,
      }))
      .filter(({ p95 }) => p95 >= slow)
      .sort((a, b) => b.p95 - a.p95)
      .slice(0, 1 + mostAlso)
  }

  #failing(): FailingHandler[] {
    return [...this.#handlers.values()]
      .filter(({ failed }) => failed > 0)
      .sort((a, b) => b.failed - a.failed)
      .slice(0, 1 + mostAlso)
      .map(({ name, ofClient, failed, durations, errors }) => {
        return { name, ofClient, failed, count: durations.count, errors: counted(errors).what }
      })
  }

  #keyOf(span: Span): string {
    const key = `${isOfClient(span) ? 'client' : 'server'} ${span.name}`
    return this.#handlers.has(key) || this.#handlers.size < most ? key : other
  }

  #handler(span: Span): Handler {
    const key = this.#keyOf(span)
    let handler = this.#handlers.get(key)
    if (handler === undefined) {
      const name = key === other ? other : span.name
      handler = { name, ofClient: isOfClient(span), durations: new Durations(), errors: new Map(), failed: 0 }
      this.#handlers.set(key, handler)
    }
    return handler
  }

  #changeRejections(span: Span, operation: Operation, by: number): void {
    const key = rejection(span, operation)
    if (key !== '') change(operation === 'connect' ? this.#clientRejections : this.#rejections, key, by)
  }
}

const other = '_OTHER'

function change(counts: Map<string, number>, key: string, by: number): void {
  const known = counts.has(key) || counts.size < most ? key : other
  const count = (counts.get(known) ?? 0) + by
  if (count > 0) counts.set(known, count)
  else counts.delete(known)
}

function counted(counts: ReadonlyMap<string, number>): Counted {
  const sorted = [...counts].sort(([, a], [, b]) => b - a)
  return {
    all: sorted.reduce((sum, [, count]) => sum + count, 0),
    what: sorted.slice(0, 1 + mostAlso).map(([what, count]) => ({ what, count })),
  }
}

function errorType(span: Span): string {
  return textAttribute(span.attributes, names.ERROR_TYPE) || span.statusMessage || 'error'
}

function rejection(span: Span, operation: Operation): string {
  if (operation !== 'handshake' && operation !== 'connect') return ''
  if (textAttribute(span.attributes, names.HANDSHAKE_OUTCOME) !== 'rejected') return ''
  const status = numberAttribute(span.attributes, names.HTTP_STATUS)
  if (status !== undefined) return `${status} ${textAttribute(span.attributes, names.ROUTE) || span.name}`
  const error = textAttribute(span.attributes, names.ERROR_TYPE)
  return error === '' ? span.name : `${span.name}: ${error}`
}

function ending({ closeCategory, closeCode }: Connection): string {
  return closeCode === undefined ? closeCategory : `${closeCategory} (${closeCode})`
}
