import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HttpError } from './error.ts'

const inflate = promisify(gunzip)

/** Bytes of request bodies that may be in memory at one time, over all requests, before and after inflation. */
export interface BodyLimits {
  /** Bytes of one body as sent. */
  readonly maxBodyBytes: number
  /** Bytes of one body after inflation. */
  readonly maxInflatedBytes: number
}

/** Reads request bodies within limits of size, and of how much may be under way at one time. */
export class BodyReader {
  readonly #limits: BodyLimits
  #pending = 0

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /** Reads and inflates the body. Throws an `HttpError` (400, 413, 415 or 503) that says what is wrong with it. */
  async read(request: IncomingMessage): Promise<Buffer> {
    const { maxBodyBytes, maxInflatedBytes } = this.#limits
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
    if (encoding !== 'identity' && encoding !== 'gzip') {
      throw new HttpError(415, `content-encoding "${encoding}" is not supported: send gzip or identity`)
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
    const raw = await this.#collect(request)
    if (encoding === 'identity') return raw
    // Inflated bodies count as their maximum until they are read: many small bombs at once are one large one.
    this.#reserve(maxInflatedBytes)
    try {
      return await inflate(raw, { maxOutputLength: maxInflatedBytes })
    } catch (error) {
      if (error instanceof RangeError) {
        throw new HttpError(413, `the body inflates to more than ${maxInflatedBytes} bytes`)
      }
      throw new HttpError(400, 'the body is not valid gzip')
    } finally {
      this.#pending -= maxInflatedBytes
    }
  }

  async #collect(request: IncomingMessage): Promise<Buffer> {
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        if (size + chunk.length > this.#limits.maxBodyBytes) throw tooLarge(this.#limits.maxBodyBytes)
        this.#reserve(chunk.length)
        size += chunk.length
        chunks.push(chunk)
      }
    } finally {
      this.#pending -= size
    }
    return Buffer.concat(chunks)
  }

  #reserve(bytes: number): void {
    const most = 4 * (this.#limits.maxBodyBytes + this.#limits.maxInflatedBytes)
    if (this.#pending + bytes > most) throw new HttpError(503, 'too many requests are under way: retry later')
    this.#pending += bytes
  }
}

function tooLarge(maxBodyBytes: number): HttpError {
  return new HttpError(413, `the body is larger than ${maxBodyBytes} bytes: export smaller batches`)
}
