import type { Store } from '../store/store.ts'
import { type Encoding, parseRequest } from './parse.ts'
import { type Signal, type Taken, take } from './signals.ts'

/** An export request as it came, for keeping. */
export interface Packed {
  readonly signal: Signal
  readonly encoding: Encoding
  readonly gzip: boolean
  readonly bytes: Uint8Array
}

/** Where what came in goes: into the store, and on to what keeps it. */
export class Intake {
  readonly #store: Store
  readonly #keep: ((packed: Packed) => void) | undefined

  /** `keep` gets every request that was taken. */
  constructor(store: Store, keep?: (packed: Packed) => void) {
    this.#store = store
    this.#keep = keep
  }

  /** Takes the body of an export request; `packed` is the body as it came. Throws an `HttpError` when it is none. */
  take(signal: Signal, encoding: Encoding, body: Buffer, packed?: { bytes: Uint8Array; gzip: boolean }): Taken {
    const taken = take(this.#store, signal, parseRequest(signal, encoding, body))
    this.#keep?.({ signal, encoding, ...(packed ?? { bytes: body, gzip: false }) })
    return taken
  }

  /** Notes a request that was answered with an error. */
  refused(message: string): void {
    this.#store.refused(message)
  }
}
