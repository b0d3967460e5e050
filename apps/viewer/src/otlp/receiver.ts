import type { IncomingMessage, ServerResponse } from 'node:http'
import { type BodyReader, discard } from '../http/body.ts'
import { HttpError } from '../http/error.ts'
import type { Intake } from './intake.ts'
import { limits } from './limits.ts'
import { encodeExportResponse, encodeStatus } from './protobuf.ts'
import { rejectedField, type Signal } from './signals.ts'

const json = 'application/json'
const protobuf = 'application/x-protobuf'

/** Codes of `google.rpc.Status`, for clients that read the body. */
const rpcCodes: Readonly<Record<number, number>> = { 400: 3, 403: 7, 404: 5, 405: 12, 413: 8, 415: 3, 500: 13, 503: 14 }

/** Answers `POST /v1/traces`, `/v1/metrics` and `/v1/logs` as OTLP/HTTP asks, and puts what came into the store. */
export class Receiver {
  readonly #intake: Intake
  readonly #bodies: BodyReader

  constructor(intake: Intake, bodies: BodyReader) {
    this.#intake = intake
    this.#bodies = bodies
  }

  async handle(signal: Signal, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const type = (request.headers['content-type'] ?? '').split(';', 1)[0]!.trim().toLowerCase()
    try {
      if (type !== json && type !== protobuf) {
        throw new HttpError(415, `content-type "${type}" is not supported: send ${protobuf} or ${json}`)
      }
      const encoding = type === protobuf ? 'protobuf' : 'json'
      const { rejected, reason } = await this.#bodies.read(request, (body, packed) =>
        this.#intake.take(signal, encoding, body, packed),
      )
      if (type === protobuf) return send(response, 200, type, encodeExportResponse(rejected, reason))
      const partialSuccess = { [rejectedField[signal]]: String(rejected), errorMessage: reason }
      send(response, 200, json, JSON.stringify(rejected > 0 ? { partialSuccess } : {}))
    } catch (error) {
      const { status, message } = error instanceof HttpError ? error : new HttpError(500, 'internal error')
      this.#intake.refused(message)
      const code = rpcCodes[status] ?? 2
      await discard(request, limits.discardedBytes)
      // What is still not read stands in the way of another request on the connection.
      if (!request.complete) response.setHeader('connection', 'close')
      if (status === 503) response.setHeader('retry-after', '1')
      if (type === protobuf) send(response, status, type, encodeStatus(code, message))
      else send(response, status, json, JSON.stringify({ code, message }))
    }
  }
}

function send(response: ServerResponse, status: number, type: string, body: string | Uint8Array): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(body) })
  response.end(body)
}
