import { request } from 'node:http'
import type { Viewer } from '../../src/index.ts'
import type { Update } from '../../src/wire.ts'

export interface Answer {
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly body: string
}

export interface Call {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** Sends the body without its length in front. */
  readonly chunked?: boolean
}

/** One HTTP request, with any header, also such that `fetch` does not let a program set. */
export function call(viewer: Viewer, path: string, { method = 'GET', headers = {}, body, chunked }: Call = {}) {
  return new Promise<Answer>((resolve, reject) => {
    const length: Record<string, string> =
      body === undefined || chunked ? {} : { 'content-length': String(Buffer.byteLength(body)) }
    const sent = request(
      { host: '127.0.0.1', port: viewer.port, path, method, headers: { ...length, ...headers }, agent: false },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () => {
          const answer = Buffer.concat(chunks).toString('utf8')
          resolve({ status: response.statusCode ?? 0, headers: response.headers, body: answer })
        })
        response.on('error', reject)
      },
    )
    sent.on('error', reject)
    if (body !== undefined) sent.write(body)
    sent.end()
  })
}

/** Exports a body to the viewer. */
export function post(
  viewer: Viewer,
  signal: 'traces' | 'metrics' | 'logs',
  body: unknown,
  headers: Record<string, string> = {},
) {
  const raw = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
  return call(viewer, `/v1/${signal}`, {
    method: 'POST',
    body: raw,
    headers: { 'content-type': 'application/json', ...headers },
  })
}

/** Asks for the first update of a page that shows what the query says. */
export async function firstUpdate(viewer: Viewer, query: string): Promise<Update> {
  const abort = new AbortController()
  const response = await fetch(`${viewer.url}/api/live?${query}`, { signal: abort.signal })
  let text = ''
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      text += chunk
      if (text.endsWith('\n\n')) return JSON.parse(text.slice('data: '.length)) as Update
    }
    throw new Error(`the stream ended after: ${text}`)
  } finally {
    abort.abort()
  }
}

/** A logs request in OTLP/JSON with one record; `record` overrides its fields. */
export function logsRequest(record: Record<string, unknown> = {}): { resourceLogs: unknown[] } {
  return {
    resourceLogs: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'test' } }] },
        scopeLogs: [
          {
            scope: { name: 'pino' },
            logRecords: [
              {
                timeUnixNano: '1763721000000000000',
                severityNumber: 13,
                severityText: 'WARN',
                body: { stringValue: 'token expired' },
                ...record,
              },
            ],
          },
        ],
      },
    ],
  }
}

/** Asks the read API for what is at a path. */
export async function read<T = Record<string, unknown>>(viewer: Viewer, path: string): Promise<T> {
  const answer = await call(viewer, `/api/${path}`)
  if (answer.status !== 200) throw new Error(`${path} is answered with ${answer.status}: ${answer.body}`)
  return JSON.parse(answer.body) as T
}

let ids = 0

/** A trace request in OTLP/JSON with one span; `span` overrides its fields. */
export function traceRequest(span: Record<string, unknown> = {}): { resourceSpans: unknown[] } {
  ids++
  const id = ids.toString(16)
  return {
    resourceSpans: [
      {
        resource: { attributes: [{ key: 'service.name', value: { stringValue: 'test' } }] },
        scopeSpans: [
          {
            scope: { name: 'scope' },
            spans: [
              {
                traceId: `a${id.padStart(31, '0')}`,
                spanId: `b${id.padStart(15, '0')}`,
                name: 'work',
                kind: 1,
                startTimeUnixNano: '1763721000000000000',
                endTimeUnixNano: '1763721000012000000',
                ...span,
              },
            ],
          },
        ],
      },
    ],
  }
}
