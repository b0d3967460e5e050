import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { Highlights } from '../wire.ts'
import { isUsualClose } from './connections.ts'
import { Durations } from './durations.ts'
import type { Operation } from './operation.ts'

interface Handler {
  readonly durations: Durations
  readonly errors: Map<string, number>
  failed: number
}

/** Kinds of handler, rejection and drop that are told apart; names beyond it count under `_OTHER`. */
const most = 500
/** A p95 below this is not worth a person's first look, in milliseconds. */
const slow = 20

/** What a newcomer should look at first, counted from the spans that are kept. */
export class HighlightCounts {
  readonly #handlers = new Map<string, Handler>()
  readonly #rejections = new Map<string, number>()
  readonly #drops = new Map<string, number>()

  add(span: Span, operation: Operation): void {
    if (operation === 'process') {
      const handler = this.#handler(span.name)
      handler.durations.add(span.duration)
      if (span.error) {
        handler.failed++
        change(handler.errors, errorType(span), 1)
      }
    } else if (operation === 'handshake') {
      const key = rejection(span)
      if (key !== '') change(this.#rejections, key, 1)
    } else if (operation === 'close' || operation === 'connection') {
      const key = drop(span)
      if (key !== '') change(this.#drops, key, 1)
    }
  }

  remove(span: Span, operation: Operation): void {
    if (operation === 'process') {
      const name = this.#handlers.has(span.name) ? span.name : other
      const handler = this.#handlers.get(name)
      if (handler === undefined) return
      handler.durations.remove(span.duration)
      if (span.error) {
        handler.failed--
        change(handler.errors, errorType(span), -1)
      }
      if (handler.durations.count === 0) this.#handlers.delete(name)
    } else if (operation === 'handshake') {
      const key = rejection(span)
      if (key !== '') change(this.#rejections, key, -1)
    } else if (operation === 'close' || operation === 'connection') {
      const key = drop(span)
      if (key !== '') change(this.#drops, key, -1)
    }
  }

  read(): Highlights {
    let slowest: Highlights['slowest']
    let failing: Highlights['failing']
    for (const [name, handler] of this.#handlers) {
      const p95 = handler.durations.quantile(0.95)
      if (p95 >= slow && p95 > (slowest?.p95 ?? 0)) slowest = { name, p95, count: handler.durations.count }
      if (handler.failed > (failing?.failed ?? 0)) {
        failing = {
          name,
          failed: handler.failed,
          count: handler.durations.count,
          error: largest(handler.errors)?.[0] ?? '',
        }
      }
    }
    const rejected = largest(this.#rejections)
    const dropped = largest(this.#drops)
    return {
      slowest,
      failing,
      rejected: rejected && { what: rejected[0], count: rejected[1], all: total(this.#rejections) },
      dropped: dropped && { what: dropped[0], count: dropped[1], all: total(this.#drops) },
    }
  }

  clear(): void {
    this.#handlers.clear()
    this.#rejections.clear()
    this.#drops.clear()
  }

  #handler(name: string): Handler {
    const key = this.#handlers.has(name) || this.#handlers.size < most ? name : other
    let handler = this.#handlers.get(key)
    if (handler === undefined) {
      handler = { durations: new Durations(), errors: new Map(), failed: 0 }
      this.#handlers.set(key, handler)
    }
    return handler
  }
}

const other = '_OTHER'

function change(counts: Map<string, number>, key: string, by: number): void {
  const known = counts.has(key) || counts.size < most ? key : other
  const count = (counts.get(known) ?? 0) + by
  if (count > 0) counts.set(known, count)
  else counts.delete(known)
}

function largest(counts: Map<string, number>): [string, number] | undefined {
  let found: [string, number] | undefined
  for (const entry of counts) if (found === undefined || entry[1] > found[1]) found = entry
  return found
}

function total(counts: Map<string, number>): number {
  let sum = 0
  for (const count of counts.values()) sum += count
  return sum
}

function errorType(span: Span): string {
  return textAttribute(span.attributes, names.ERROR_TYPE) || span.statusMessage || 'error'
}

function rejection(span: Span): string {
  if (textAttribute(span.attributes, names.HANDSHAKE_OUTCOME) !== 'rejected') return ''
  const status = numberAttribute(span.attributes, names.HTTP_STATUS)
  return `${status ?? ''} ${textAttribute(span.attributes, names.ROUTE) || span.name}`.trim()
}

function drop(span: Span): string {
  const category = textAttribute(span.attributes, names.CLOSE_CATEGORY)
  if (category === '' || isUsualClose(category)) return ''
  const code = numberAttribute(span.attributes, names.CLOSE_CODE)
  return code === undefined ? category : `${category} (${code})`
}
