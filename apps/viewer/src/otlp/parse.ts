import { HttpError } from '../http/error.ts'
import { checkJson, TooComplex } from './complexity.ts'
import { limits } from './limits.ts'
import { decodeProtobuf } from './protobuf.ts'
import type { Signal } from './signals.ts'

export type Encoding = 'protobuf' | 'json'

/** Decodes the body of an export request. Throws an `HttpError`: 413 where it holds too much, 400 where it is malformed. */
export function parseRequest(signal: Signal, encoding: Encoding, body: Buffer): unknown {
  try {
    if (encoding === 'protobuf') return decodeProtobuf(signal, body, limits.requestValues)
    return parseJson(body)
  } catch (error) {
    if (error instanceof TooComplex) throw new HttpError(413, error.message)
    const form = encoding === 'protobuf' ? 'protobuf' : 'JSON'
    throw new HttpError(400, `the body is not a valid OTLP ${form} ${signal} request`)
  }
}

/** Parses an object in JSON, of bounded complexity. Throws when it is none. */
export function parseJson(body: Buffer): object {
  checkJson(body, limits.requestValues)
  const message: unknown = JSON.parse(body.toString('utf8'))
  if (typeof message !== 'object' || message === null || Array.isArray(message)) throw new TypeError('not an object')
  return message
}
