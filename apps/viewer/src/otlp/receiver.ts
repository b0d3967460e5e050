import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BodyReader, discard } from '../http/body.ts'
import { HttpError } from '../http/error.ts'
import type { Store } from '../store/store.ts'
import { checkJson, TooComplex } from './complexity.ts'
import { limits } from './limits.ts'
import { readMetrics } from './metrics.ts'
import { decodeProtobuf, encodeExportResponse, encodeStatus } from './protobuf.ts'
import { readSpans } from './spans.ts'

const json = 'application/json'
const protobuf = 'application/x-protobuf'

/** Codes of `google.rpc.Status`, for clients that read the body. */
const rpcCodes: Readonly<Record<number, number>> = { 400: 3, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 500: 13, 503: 14 }

/** Answers `POST /v1/traces` and `POST /v1/metrics` as OTLP/HTTP asks, and puts what came into the store. */
export class Receiver {
  readonly #store: Store
  readonly #bodies: BodyReader

  constructor(store: Store, bodies: BodyReader) {
    this.#store = store
    this.#bodies = bodies
  }

  async handle(signal: 'traces' | 'metrics', request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
    try {
      if (type !== json && type !== protobuf) {
        throw new HttpError(415, `content-type "${type}" is not supported: send ${protobuf} or ${json}`)
      }
      const { rejected, reason } = await this.#bodies.read(request, (body) =>
        this.#take(signal, parse(signal, type, body)),
      )
      if (type === protobuf) return send(response, 200, type, encodeExportResponse(rejected, reason))
      const field = signal === 'traces' ? 'rejectedSpans' : 'rejectedDataPoints'
      const partialSuccess = { [field]: String(rejected), errorMessage: reason }
      send(response, 200, json, JSON.stringify(rejected > 0 ? { partialSuccess } : {}))
    } catch (error) {
      const { status, message } = error instanceof HttpError ? error : new HttpError(500, 'internal error')
      this.#store.refused(message)
      const code = rpcCodes[status] ?? 2
      await discard(request, limits.discardedBytes)
      // What is still not read stands in the way of another request on the connection.
      if (!request.complete) response.setHeader('connection', 'close')
      if (status === 503) response.setHeader('retry-after', '1')
      if (type === protobuf) send(response, status, type, encodeStatus(code, message))
      else send(response, status, json, JSON.stringify({ code, message }))
    }
  }

  #take(signal: 'traces' | 'metrics', message: unknown): { rejected: number; reason: string } {
    try {
      if (signal === 'traces') {
        const read = readSpans(message)
        this.#store.addSpans(read.items, read.rejected)
        return read
      }
      const read = readMetrics(message)
      this.#store.addPoints(read.items, read.rejected)
      return read
    } catch (error) {
      if (error instanceof TypeError)
        throw new HttpError(400, `the body is not an OTLP ${signal} request: ${error.message}`)
      throw error
    }
  }
}

function parse(signal: 'traces' | 'metrics', type: string, body: Buffer): unknown {
  try {
    if (type === protobuf) return decodeProtobuf(signal, body, limits.requestValues)
    checkJson(body, limits.requestValues)
    const message: unknown = JSON.parse(body.toString('utf8'))
    if (typeof message !== 'object' || message === null || Array.isArray(message)) throw new TypeError('not an object')
    return message
  } catch (error) {
    if (error instanceof TooComplex) throw new HttpError(413, error.message)
    throw new HttpError(
      400,
      `the body is not a valid OTLP ${type === protobuf ? 'protobuf' : 'JSON'} ${signal} request`,
    )
  }
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
