import type { IncomingMessage } from 'node:http'
import { promisify } from 'node:util'
import { gunzip } from 'node:zlib'
import { HttpError } from './error.ts'

const inflate = promisify(gunzip)

export interface BodyLimits {
  /** Bytes of one body as sent. */
  readonly maxBodyBytes: number
  /** Bytes of one body after inflation. */
  readonly maxInflatedBytes: number
}

/** Bodies that are inflated at one time: many small bombs at once are one large one. */
const inflations = 2
/** Bodies of the largest size that may be under way at one time, as sent. */
const bodies = 8

/** A body as it was sent. */
export interface Packed {
  readonly bytes: Buffer
  readonly gzip: boolean
}

type Use<T> = (body: Buffer, packed: Packed) => T

/** Reads request bodies within limits of size, and of how much of them is in memory at one time. */
export class BodyReader {
  readonly #limits: BodyLimits
  readonly #waiting: (() => void)[] = []
  #pending = 0
  #inflating = 0

  constructor(limits: BodyLimits) {
    this.#limits = limits
  }

  /**
   * Reads and inflates the body and hands it to `use`, until whose return it counts as in memory. Throws an `HttpError`
   * (400, 413, 415 or 503) that says what is wrong with the body.
   */
  async read<T>(request: IncomingMessage, use: Use<T>): Promise<T> {
    const { maxBodyBytes } = this.#limits
    const encoding = (request.headers['content-encoding'] ?? 'identity').trim().toLowerCase()
    if (encoding !== 'identity' && encoding !== 'gzip') {
      throw new HttpError(415, `content-encoding "${encoding}" is not supported: send gzip or identity`)
    }
    if (Number(request.headers['content-length'] ?? 0) > maxBodyBytes) throw tooLarge(maxBodyBytes)
    const chunks: Buffer[] = []
    let size = 0
    try {
      for await (const chunk of request.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>) {
        if (size + chunk.length > maxBodyBytes) throw tooLarge(maxBodyBytes)
        if (this.#pending + chunk.length > bodies * maxBodyBytes) {
          throw new HttpError(503, 'too much is under way at once: retry later')
        }
        this.#pending += chunk.length
        size += chunk.length
        chunks.push(chunk)
      }
      const raw = Buffer.concat(chunks)
      return encoding === 'identity' ? use(raw, { bytes: raw, gzip: false }) : await this.#inflated(raw, use)
    } finally {
      this.#pending -= size
    }
  }

  async #inflated<T>(raw: Buffer, use: Use<T>): Promise<T> {
    if (this.#inflating >= inflations) await new Promise<void>((resolve) => this.#waiting.push(resolve))
    else this.#inflating++
    try {
      return use(await this.#inflate(raw), { bytes: raw, gzip: true })
    } finally {
      // The place goes to the next in line, if there is one.
      const next = this.#waiting.shift()
      if (next === undefined) this.#inflating--
      else next()
    }
  }

  async #inflate(raw: Buffer): Promise<Buffer> {
    const { maxInflatedBytes } = this.#limits
    try {
      return await inflate(raw, { maxOutputLength: maxInflatedBytes })
    } catch (error) {
      if (error instanceof RangeError) {
        throw new HttpError(413, `the body inflates to more than ${maxInflatedBytes} bytes: export smaller batches`)
      }
      throw new HttpError(400, 'the body is not valid gzip')
    }
  }
}

/** Milliseconds for which the rest of a body that was refused is read. */
const patience = 2000

/**
 * Reads what is left of a body that was refused, and forgets it: many clients look for the answer only once they have
 * sent everything, and one whose connection is cut meanwhile never sees it. Resolves after `most` bytes, or two seconds,
 * whatever is left.
 */
export function discard(request: IncomingMessage, most: number): Promise<void> {
  if (request.complete || request.destroyed) return Promise.resolve()
  return new Promise((resolve) => {
    let left = most
    const done = () => {
      clearTimeout(timer)
      request.pause()
      resolve()
    }
    const timer = setTimeout(done, patience)
    request.on('data', (chunk: Buffer) => {
      left -= chunk.length
      if (left < 0) done()
    })
    request.once('end', done)
    request.once('close', done)
  })
}

function tooLarge(maxBodyBytes: number): HttpError {
  return new HttpError(413, `the body is larger than ${maxBodyBytes} bytes: export smaller batches`)
}
