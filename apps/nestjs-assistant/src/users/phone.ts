import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import { encodeFrame } from '../audio-frame.ts'
import { synthesize } from '../engines/speech.ts'
import { SAMPLE_RATE, SYMBOL_BYTES, SYMBOL_SAMPLES } from '../engines/tones.ts'
import { transcribe } from '../engines/transcription.ts'
import type { History } from '../messages.ts'
import type { Platform } from '../platforms/server.ts'
import { Stage } from '../stages/stage.ts'
import { type Caller, connect, type Wire } from './wire.ts'

/** The answer as the user hears it. */
export interface Answer {
  /** The text that the assistant understood. */
  readonly heard: string
  /** The answer as it was written. */
  readonly text: string
  /** The answer as it was said. */
  readonly spoken: string | undefined
}

/** The assistant said no. */
export class Refused extends Error {
  readonly code: string

  constructor(code: string, message: string) {
    super(message)
    this.name = 'Refused'
    this.code = code
  }
}

/** Characters in a message of audio: a tenth of a second. */
const CHUNK_SYMBOLS = 5
const CHUNK_BYTES = CHUNK_SYMBOLS * SYMBOL_BYTES
const CHUNK_TIME = (1_000 * CHUNK_SYMBOLS * SYMBOL_SAMPLES) / SAMPLE_RATE

/** A user's device: speaks and listens. */
export class Phone {
  readonly wire: Wire
  #utterances = 0

  private constructor(wire: Wire) {
    this.wire = wire
  }

  /** Calls an assistant. */
  static async call(platform: Platform, url: string, caller: Caller): Promise<Phone> {
    return new Phone(await connect(platform, url, caller))
  }

  /** Says something and listens to the answer; rejects with {@link Refused} when there is none. */
  ask(text: string): Promise<Answer> {
    return this.play(synthesize(text))
  }

  /** Sends audio as it is recorded and listens to the answer; rejects with {@link Refused} when there is none. */
  play(audio: Buffer): Promise<Answer> {
    return Stage.run('utterance', async () => {
      const utterance = `u${++this.#utterances}`
      const isOver = new AbortController()
      const answer = this.#answer(isOver.signal).finally(() => isOver.abort())
      // The device stops recording when it is refused; the promise below has the reason.
      answer.catch(() => {})
      this.wire.send('listen', { utterance })
      await this.#record(utterance, audio, isOver.signal)
      return answer
    })
  }

  /** Asks what was asked before; rejects with {@link Refused} when that is no business of the caller's. */
  async history(): Promise<readonly string[]> {
    const stop = new AbortController()
    const answered = this.#until('history', stop.signal).finally(() => stop.abort())
    this.wire.send('history', {})
    return ((await answered) as History).asked
  }

  /** Sends one event as it is; rejects with the {@link Refused} that it meets. */
  async emit(event: string, data: unknown): Promise<void> {
    const stop = new AbortController()
    const answered = this.#until('done', stop.signal).finally(() => stop.abort())
    this.wire.send(event, data)
    await answered
  }

  /** Hangs up. */
  async hangUp(): Promise<void> {
    this.wire.close()
    await this.wire.closed
  }

  async #record(utterance: string, audio: Buffer, stop: AbortSignal): Promise<void> {
    for (let start = 0; start < audio.length && !stop.aborted; start += CHUNK_BYTES) {
      const end = start + CHUNK_BYTES
      this.wire.send('audio', encodeFrame({ utterance, last: end >= audio.length }, audio.subarray(start, end)))
      await delay(CHUNK_TIME, undefined, { signal: stop }).catch(() => {})
    }
  }

  async #answer(stop: AbortSignal): Promise<Answer> {
    const { events } = this.wire
    let heard = ''
    let text = ''
    const audio: Buffer[] = []
    const onHeard = (data: { text: string }) => {
      heard = data.text
    }
    const onToken = (data: { text: string }) => {
      text += data.text
    }
    const onAudio = (data: Buffer) => audio.push(data)
    events.on('heard', onHeard).on('token', onToken).on('audio', onAudio)
    try {
      await this.#until('done', stop)
      return { heard, text, spoken: transcribe(Buffer.concat(audio)) }
    } finally {
      events.off('heard', onHeard).off('token', onToken).off('audio', onAudio)
    }
  }

  /** Resolves with the next event of a name; rejects when an exception comes first, or the end of the connection. */
  async #until(event: string, signal: AbortSignal): Promise<unknown> {
    const { events, closed } = this.wire
    const answered = once(events, event, { signal }).then(([data]) => data)
    const refused = once(events, 'exception', { signal }).then(([{ code, message }]) => {
      throw new Refused(code, message)
    })
    const cut = closed.then(() => {
      throw new Refused('closed', 'the connection is closed')
    })
    // Later replies are ignored.
    for (const late of [answered, refused, cut]) late.catch(() => {})
    return Promise.race([answered, refused, cut])
  }
}
