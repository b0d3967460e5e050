import type { ServerResponse } from 'node:http'
import { LivePage, type ServerFacts } from './live-page.ts'
import type { LiveQuery } from './query/live-query.ts'
import type { Store } from './store/store.ts'

/** How often pages get what is new, in milliseconds. */
const interval = 500
/** How soon a page whose search is not through goes on with it. */
const soon = 20

/** Pushes updates to the pages that are open, as server-sent events: to each only what it shows and what has changed. */
export class Live {
  readonly #store: Store
  readonly #facts: () => ServerFacts
  readonly #most: number
  readonly #streams = new Set<Stream>()
  #timer: NodeJS.Timeout | undefined

  constructor(store: Store, facts: () => ServerFacts, most: number) {
    this.#store = store
    this.#facts = facts
    this.#most = most
  }

  /** Whether no further page can be served. */
  get full(): boolean {
    return this.#streams.size >= this.#most
  }

  open(query: LiveQuery, response: ServerResponse): void {
    response.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' })
    const stream = new Stream(new LivePage(this.#store, query, this.#facts), response)
    this.#streams.add(stream)
    response.once('close', () => {
      stream.stop()
      this.#streams.delete(stream)
      if (this.#streams.size === 0) this.#stop()
    })
    stream.send()
    this.#timer ??= setInterval(() => this.#tick(), interval).unref()
  }

  close(): void {
    this.#stop()
    for (const stream of this.#streams) {
      stream.stop()
      stream.response.end()
    }
    this.#streams.clear()
  }

  #stop(): void {
    clearInterval(this.#timer)
    this.#timer = undefined
  }

  #tick(): void {
    for (const stream of this.#streams) stream.send()
  }
}

/** The events of one page. */
class Stream {
  readonly response: ServerResponse
  readonly #page: LivePage
  #searching: NodeJS.Timeout | undefined

  constructor(page: LivePage, response: ServerResponse) {
    this.#page = page
    this.response = response
  }

  send(): void {
    clearTimeout(this.#searching)
    // A page that is slower than its updates gets fewer of them, not a queue.
    if (this.response.writableNeedDrain) return
    const update = this.#page.update(Date.now())
    // Line ends cannot occur within JSON, so one update is one line of one event.
    if (update !== undefined) this.response.write(`data: ${update}\n\n`)
    if (this.#page.unfinished) this.#searching = setTimeout(() => this.send(), soon).unref()
  }

  stop(): void {
    clearTimeout(this.#searching)
  }
}
