import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { Counted, FailingOperation, Highlights, SlowOperation } from '../wire.ts'
import { type Connection, isSlowConsumer, neverOpened, wasDropped } from './connection.ts'
import { Durations } from './durations.ts'
import { errorOf } from './failure.ts'
import { isOfClient, type Operation } from './operation.ts'

/** What spans and connections say; metrics may add to it. */
export type Counts = Omit<Highlights, 'slowRoutes' | 'undeliveredByMetrics'>

interface Judged {
  readonly name: string
  readonly service: string
  readonly ofClient: boolean
  readonly durations: Durations
  readonly errors: Map<string, number>
  failed: number
}

/** Kinds of operation, rejection and drop that are kept apart; names beyond it count under `_OTHER`. */
const most = 500
/** A p95 below this needs no first look, in milliseconds. */
const slow = 20
/** What is named of each kind besides the first. */
const mostAlso = 4
const other = '_OTHER'

/** What a newcomer should look at first, counted from the spans and connections that are added. */
export class HighlightCounts {
  readonly #operations = new Map<string, Judged>()
  readonly #rejections = new Map<string, number>()
  /** As clients record them: for servers that record nothing themselves. */
  readonly #clientRejections = new Map<string, number>()
  readonly #undelivered = new Map<string, number>()
  #judged = 0
  #handshakes = 0
  #sends = 0

  add(span: Span, operation: Operation): void {
    this.#change(span, operation, 1)
    if (!isJudged(span, operation)) return
    this.#judged++
    const judged = this.#judgedFor(span)
    judged.durations.add(judgedDuration(span, operation))
    if (!span.error) return
    judged.failed++
    change(judged.errors, errorOf(span), 1)
  }

  remove(span: Span, operation: Operation): void {
    this.#change(span, operation, -1)
    if (!isJudged(span, operation)) return
    this.#judged--
    const key = this.#keyOf(span)
    const judged = this.#operations.get(key)
    if (judged === undefined) return
    judged.durations.remove(judgedDuration(span, operation))
    if (span.error) {
      judged.failed--
      change(judged.errors, errorOf(span), -1)
    }
    if (judged.durations.count === 0) this.#operations.delete(key)
  }

  /** Reads what was counted, together with what the connections say. */
  read(connections: Iterable<Connection>): Counts {
    const drops = new Map<string, number>()
    const consumers: Connection[] = []
    let closed = 0
    let measured = 0
    for (const connection of connections) {
      if (connection.state === 'closed') closed++
      if (wasDropped(connection)) change(drops, ending(connection), 1)
      if (neverOpened(connection.state) || connection.buffered === undefined) continue
      measured++
      if (isSlowConsumer(connection)) consumers.push(connection)
    }
    return {
      slowest: this.#slowest(),
      failing: this.#failing(),
      rejected: counted(this.#rejections.size > 0 ? this.#rejections : this.#clientRejections),
      dropped: counted(drops),
      undelivered: counted(this.#undelivered),
      slowConsumers: consumers
        .sort((a, b) => b.buffered! - a.buffered!)
        .slice(0, 1 + mostAlso)
        .map(({ id, route, user, peer, buffered = 0 }) => ({ id, route, user, peer, buffered })),
      slowConsumerCount: consumers.length,
      judged: {
        operations: this.#judged,
        handshakes: this.#handshakes,
        closes: closed,
        sends: this.#sends,
        consumers: measured,
      },
    }
  }

  clear(): void {
    this.#operations.clear()
    this.#rejections.clear()
    this.#clientRejections.clear()
    this.#undelivered.clear()
    this.#judged = 0
    this.#handshakes = 0
    this.#sends = 0
  }

  #slowest(): SlowOperation[] {
    return [...this.#operations.values()]
      .map(({ name, service, ofClient, durations }) => {
        return { name, service, ofClient, p95: durations.quantile(0.95), count: durations.count }
      })
      .filter(({ p95 }) => p95 >= slow)
      .sort((a, b) => b.p95 - a.p95)
      .slice(0, 1 + mostAlso)
  }

  #failing(): FailingOperation[] {
    return [...this.#operations.values()]
      .filter(({ failed }) => failed > 0)
      .sort((a, b) => b.failed - a.failed)
      .slice(0, 1 + mostAlso)
      .map(({ name, service, ofClient, failed, durations, errors }) => {
        return { name, service, ofClient, failed, count: durations.count, errors: counted(errors).what }
      })
  }

  #keyOf(span: Span): string {
    const key = `${isOfClient(span) ? 'client' : 'server'} ${span.resource.service} ${span.name}`
    return this.#operations.has(key) || this.#operations.size < most ? key : other
  }

  #judgedFor(span: Span): Judged {
    const key = this.#keyOf(span)
    let judged = this.#operations.get(key)
    if (judged === undefined) {
      const name = key === other ? other : span.name
      const { service } = span.resource
      judged = { name, service, ofClient: isOfClient(span), durations: new Durations(), errors: new Map(), failed: 0 }
      this.#operations.set(key, judged)
    }
    return judged
  }

  #change(span: Span, operation: Operation, by: number): void {
    if (operation === 'handshake' || operation === 'connect') {
      this.#handshakes += by
      const key = rejection(span)
      if (key !== '') change(operation === 'connect' ? this.#clientRejections : this.#rejections, key, by)
    } else if (operation === 'send' || operation === 'broadcast') {
      this.#sends += by
      const reason = textAttribute(span.attributes, names.UNDELIVERED_REASON)
      if (reason !== '') change(this.#undelivered, `${reason}: ${span.name}`, by)
    }
  }
}

/**
 * Whether a span is the run of something that can be slow or fail: one without a parent, one that serves another
 * process, or a handler. Handshakes and the life of a connection are judged by cards of their own.
 */
function isJudged(span: Span, operation: Operation): boolean {
  switch (operation) {
    case 'handshake':
    case 'connect':
    case 'connection':
    case 'close':
      return false
    case 'process':
    case 'complete':
    case 'open':
    case 'disconnect':
      return true
    default:
      return span.parentSpanId === '' || span.kind === 'server' || span.kind === 'consumer'
  }
}

/** How long a subscription has lasted says nothing of how fast it was; that it failed does. */
function judgedDuration(span: Span, operation: Operation): number {
  return operation === 'complete' ? 0 : span.duration
}

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

function rejection(span: Span): string {
  if (textAttribute(span.attributes, names.HANDSHAKE_OUTCOME) !== 'rejected') return ''
  const status = numberAttribute(span.attributes, names.HTTP_STATUS)
  if (status !== undefined) return `${status} ${textAttribute(span.attributes, names.ROUTE) || span.name}`
  const error = textAttribute(span.attributes, names.ERROR_TYPE)
  return error === '' ? span.name : `${span.name}: ${error}`
}

function ending({ closeCategory, closeCode }: Connection): string {
  return closeCode === undefined ? closeCategory : `${closeCategory} (${closeCode})`
}
