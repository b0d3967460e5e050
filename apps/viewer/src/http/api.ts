import type { IncomingMessage, ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { exportAll, exportConnection, exportTrace } from '../export/export.ts'
import { importFile } from '../export/import.ts'
import type { Live } from '../live.ts'
import type { ServerFacts } from '../live-page.ts'
import type { Intake } from '../otlp/intake.ts'
import { limits } from '../otlp/limits.ts'
import { completions } from '../query/completions.ts'
import { readLiveQuery } from '../query/live-query.ts'
import { answerRead } from '../query/read.ts'
import type { Store } from '../store/store.ts'
import { json, notAllowed, text } from './answer.ts'
import { discard } from './body.ts'
import { HttpError } from './error.ts'

export interface ApiParts {
  readonly store: Store
  readonly live: Live
  readonly intake: Intake
  /** Bytes of one object of a file that is opened. */
  readonly mostImported: number
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
    else await this.#read(name, url.searchParams, response)
  }

  async #read(name: string, search: URLSearchParams, response: ServerResponse): Promise<void> {
    const { live, store, facts } = this.#parts
    if (name === 'live') {
      if (live.full) text(response, 503, 'Too many pages are open.')
      else live.open(readLiveQuery(search), response)
    } else if (name === 'complete')
      json(response, completions(store, search.get('view') ?? '', search.get('word') ?? ''))
    else if (name === 'export') await this.#export(search, response)
    else {
      const answer = answerRead(store, facts(), name, search, Date.now())
      if (answer === undefined) text(response, 404, 'There is nothing here.')
      else json(response, answer)
    }
  }

  async #export(search: URLSearchParams, response: ServerResponse): Promise<void> {
    const { store } = this.#parts
    const trace = search.get('trace')
    const connection = search.get('connection')
    if (trace === null && connection === null) {
      await sendLines(exportAll(store), 'otel-ws-viewer.jsonl', response)
      return
    }
    const [kind, id] = trace !== null ? ['trace', trace] : ['connection', connection ?? '']
    const exported = kind === 'trace' ? exportTrace(store, id) : exportConnection(store, id)
    const file = `${kind}-${id}`.replace(/[^\w-]/g, '_').slice(0, 80)
    if (exported === undefined) text(response, 404, 'It is not kept.')
    else json(response, exported, { 'content-disposition': `attachment; filename="${file}.json"` })
  }

  async #import(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { intake, mostImported } = this.#parts
    try {
      const chunks = request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>
      json(response, await importFile(intake, chunks, mostImported))
    } catch (error) {
      if (!(error instanceof HttpError)) throw error
      intake.refused(`import: ${error.message}`)
      await discard(request, limits.discardedBytes)
      if (!request.complete) response.setHeader('connection', 'close')
      text(response, error.status, error.message)
    }
  }
}

/** Sends values as JSON, one a line, no faster than they are read. */
async function sendLines(values: Iterable<unknown>, file: string, response: ServerResponse): Promise<void> {
  response.writeHead(200, {
    'content-type': 'application/x-ndjson; charset=utf-8',
    'content-disposition': `attachment; filename="${file}"`,
    'cache-control': 'no-store',
  })
  const lines = Readable.from(linesOf(values))
  await pipeline(lines, response)
}

function* linesOf(values: Iterable<unknown>): Generator<string> {
  for (const value of values) yield `${JSON.stringify(value)}\n`
}
