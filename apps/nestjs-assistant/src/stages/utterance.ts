import { type Context, context } from '@opentelemetry/api'
import { finalize, type Observable, ReplaySubject } from 'rxjs'
import type { Caller } from '../caller.ts'
import { Refusal } from '../errors.ts'
import type { Reply } from '../messages.ts'
import { Stage } from './stage.ts'

/** Bytes of audio that one utterance may have: 10 s. */
export const MAX_AUDIO = 160_000

/** One utterance of a user, from `listen` until it is answered. */
export class Utterance {
  readonly id: string
  readonly user: string
  readonly session: Caller
  /** The replies to the client. Nest may subscribe after the first one was sent. */
  readonly #replies = new ReplaySubject<Reply>()
  readonly #context: Context = context.active()
  readonly #receiving = new Stage('receive audio')
  readonly #stop = new AbortController()
  readonly #chunks: Buffer[] = []
  #bytes = 0
  #isHeard = false

  constructor(id: string, user: string, session: Caller) {
    this.id = id
    this.user = user
    this.session = session
  }

  /** Everything that is sent in answer. Who unsubscribes has heard enough: what is still under way stops. */
  get replies(): Observable<Reply> {
    return this.#replies.pipe(finalize(() => this.#abandon()))
  }

  /** Aborted when the client no longer listens. */
  get stopped(): AbortSignal {
    return this.#stop.signal
  }

  /** All of the audio so far. */
  get audio(): Buffer {
    return Buffer.concat(this.#chunks)
  }

  /** Adds audio and returns the next step. An utterance that is too long is refused. */
  hear(audio: Buffer, last: boolean): 'more' | 'answer' | 'nothing' {
    this.#chunks.push(audio)
    this.#bytes += audio.length
    if (this.#bytes > MAX_AUDIO) {
      const refusal = new Refusal('too_long', 'the utterance is too long')
      this.#endReceiving(refusal)
      this.fail(refusal)
      return 'nothing'
    }
    if (!last) return 'more'
    this.#endReceiving()
    return 'answer'
  }

  /** Runs what belongs to the utterance and not to the message that happened to complete it. */
  within<T>(work: () => T): T {
    return context.with(this.#context, work)
  }

  /** Sends a reply. */
  reply(reply: Reply): void {
    this.#replies.next(reply)
  }

  /** Ends the answer. */
  complete(): void {
    this.#replies.complete()
  }

  /** Ends the answer with an error. */
  fail(error: unknown): void {
    this.#replies.error(error)
  }

  #abandon(): void {
    this.#stop.abort()
    this.#endReceiving()
  }

  #endReceiving(error?: unknown): void {
    if (this.#isHeard) return
    this.#isHeard = true
    this.#receiving.note({ 'assistant.chunks': this.#chunks.length, 'assistant.bytes': this.#bytes })
    if (error !== undefined) this.#receiving.fail(error)
    this.#receiving.end()
  }
}
