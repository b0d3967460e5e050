import type { IncomingMessage, ServerResponse } from 'node:http'
import { exportAll, exportConnection, exportTrace } from '../export/export.ts'
import { importFile } from '../export/import.ts'
import type { Live } from '../live.ts'
import type { ServerFacts } from '../live-page.ts'
import type { Intake } from '../otlp/intake.ts'
import { completions } from '../query/completions.ts'
import { readLiveQuery } from '../query/live-query.ts'
import { answerRead } from '../query/read.ts'
import type { Store } from '../store/store.ts'
import { json, notAllowed, text } from './answer.ts'
import type { BodyReader } from './body.ts'
import { HttpError } from './error.ts'

export interface ApiParts {
  readonly store: Store
  readonly live: Live
  readonly intake: Intake
  readonly bodies: BodyReader
  readonly facts: () => ServerFacts
  /** Forgets what is kept, in memory and in the file. */
  readonly clear: () => void
}

/** Everything below `/api/`: what the page shows as it changes, what programs ask for, and what changes the store. */
export class Api {
  readonly #parts: ApiParts

  constructor(parts: ApiParts) {
    this.#parts = parts
  }

  async handle(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const name = url.pathname.slice('/api/'.length)
    if (name === 'clear' || name === 'import') {
      if (request.method !== 'POST') notAllowed(response, 'POST')
      else if (name === 'clear') {
        this.#parts.clear()
        response.writeHead(204).end()
      } else await this.#import(request, response)
    } else if (request.method !== 'GET') notAllowed(response, 'GET')
    else this.#read(name, url.searchParams, response)
  }

  #read(name: string, search: URLSearchParams, response: ServerResponse): void {
    const { live, store, facts } = this.#parts
    if (name === 'live') {
      if (live.full) text(response, 503, 'Too many pages are open.')
      else live.open(readLiveQuery(search), response)
    } else if (name === 'complete')
      json(response, completions(store, search.get('view') ?? '', search.get('word') ?? ''))
    else if (name === 'export') this.#export(search, response)
    else {
      const answer = answerRead(store, facts(), name, search, Date.now())
      if (answer === undefined) text(response, 404, 'There is nothing here.')
      else json(response, answer)
    }
  }

  #export(search: URLSearchParams, response: ServerResponse): void {
    const { store } = this.#parts
    const trace = search.get('trace')
    const connection = search.get('connection')
    const exported =
      trace !== null
        ? exportTrace(store, trace)
        : connection !== null
          ? exportConnection(store, connection)
          : exportAll(store)
    if (exported === undefined) {
      text(response, 404, 'It is not kept.')
      return
    }
    const name = trace !== null ? `trace-${trace}` : connection !== null ? `connection-${connection}` : 'otel-ws-viewer'
    const file = name.replace(/[^\w-]/g, '_').slice(0, 80)
    json(response, exported, { 'content-disposition': `attachment; filename="${file}.json"` })
  }

  async #import(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { bodies, intake } = this.#parts
    try {
      json(response, await bodies.read(request, (body) => importFile(intake, body)))
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      intake.refused(`import: ${error.message}`)
      if (!request.complete) response.setHeader('connection', 'close')
      text(response, error.status, error.message)
    }
  }
}
