import type { ServerResponse } from 'node:http'
import { metricsBoard } from './query/board.ts'
import { connectionDetail } from './query/connection-detail.ts'
import { type FactsOf, listConnections } from './query/connection-list.ts'
import type { LiveQuery } from './query/live-query.ts'
import { routeFacts } from './query/route-facts.ts'
import { traceDetail } from './query/trace-detail.ts'
import { listTraces } from './query/trace-list.ts'
import type { Store } from './store/store.ts'
import type { ConnectionDetail, Update } from './wire.ts'

/** How often pages are told what is new, in milliseconds. */
const interval = 500

interface Page {
  readonly query: LiveQuery
  readonly response: ServerResponse
  readonly sent: Map<string, string>
  version: number
  /** When the metrics were last drawn: their time axis moves even when nothing comes in. */
  drawn: number
  nextMark: number
}

/** Pushes updates to the pages that are open, as server-sent events: to each only what it shows and what has changed. */
export class Live {
  readonly #store: Store
  readonly #endpoint: () => string
  readonly #most: number
  readonly #pages = new Set<Page>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, endpoint: () => string, most: number) {
    this.#store = store
    this.#endpoint = endpoint
    this.#most = most
  }

  /** Whether no further page can be served. */
  get full(): boolean {
    return this.#pages.size >= this.#most
  }

  open(query: LiveQuery, response: ServerResponse): void {
    const page: Page = { query, response, sent: new Map(), version: -1, drawn: 0, nextMark: 0 }
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    this.#pages.add(page)
    response.once('close', () => {
      this.#pages.delete(page)
      if (this.#pages.size === 0) this.#stop()
    })
    this.#update(page)
    this.#timer ??= setInterval(() => this.#tick(), interval).unref()
  }

  close(): void {
    this.#stop()
    for (const { response } of this.#pages) response.end()
    this.#pages.clear()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    for (const page of this.#pages) this.#update(page)
  }

  #update(page: Page): void {
    const { query, response, sent } = page
    // A page that is slower than its updates gets fewer of them, not a queue.
    if (response.writableNeedDrain) return
    const now = Date.now()
    const metricsDue = query.view === 'metrics' && now - page.drawn >= 1000
    if (page.version === this.#store.version && !metricsDue && now - page.drawn < 5000) return
    page.version = this.#store.version
    page.drawn = now
    const parts: string[] = [`"now":${now}`]
    const part = (name: keyof Update, value: unknown) => {
      const json = JSON.stringify(value) ?? 'null'
      if (sent.get(name) === json) return
      sent.set(name, json)
      parts.push(`"${name}":${json}`)
    }
    part('status', { ...this.#store.counts(), endpoint: this.#endpoint() })
    part('highlights', this.#store.highlights)
    if (query.view === 'traces') {
      part('traces', listTraces(this.#store.traces, query, query.traceSort, query.limit))
      if (query.open !== '') part('trace', traceDetail(this.#store.traces, query.open))
    } else if (query.view === 'connections') {
      const facts = routeFacts(this.#store.metrics, now)
      part('connections', listConnections(this.#store.connections, query, query.connectionSort, query.limit, facts))
      if (query.open !== '') part('connection', this.#connection(page, facts))
    } else part('metrics', metricsBoard(this.#store.metrics, query, now))
    // Line ends cannot occur within JSON, so one update is one line of one event.
    response.write(`data: {${parts.join(',')}}\n\n`)
  }

  #connection(page: Page, facts: FactsOf): ConnectionDetail | null {
    const detail = connectionDetail(this.#store.connections, this.#store.traces, page.query.open, page.nextMark, facts)
    if (detail === null) page.nextMark = 0
    else page.nextMark = Math.max(page.nextMark, (detail.marks.at(-1)?.number ?? -1) + 1)
    return detail
  }
}
