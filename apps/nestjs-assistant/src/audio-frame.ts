import { injectContext } from '@otel-ws/nestjs'
import { SYMBOL_BYTES } from './engines/tones.ts'
import { Refusal } from './errors.ts'

/** Header of a binary message, before the samples. */
export interface AudioHeader {
  readonly utterance: string
  /** The last audio of its utterance. */
  readonly last: boolean
}

/** A binary message: some audio of an utterance. */
export interface AudioFrame {
  readonly header: AudioHeader
  readonly audio: Buffer
}

/** Bytes of the length of the header. */
export const PREFIX = 2

/** Writes a binary message: the length of the header, the header as JSON, the samples. The header has the trace context. */
export function encodeFrame(header: AudioHeader, audio: Buffer): Buffer {
  const text = Buffer.from(JSON.stringify(injectContext(header)))
  const prefix = Buffer.alloc(PREFIX)
  prefix.writeUInt16BE(text.length)
  return Buffer.concat([prefix, text, audio])
}

/** Reads a binary message; throws a {@link Refusal} that says what is wrong with it. */
export function decodeFrame(frame: unknown): AudioFrame {
  if (!Buffer.isBuffer(frame)) throw new Refusal('bad_frame', 'audio is binary')
  const start = frame.length < PREFIX ? PREFIX : PREFIX + frame.readUInt16BE()
  if (frame.length < start) throw new Refusal('bad_frame', 'the header is cut short')
  const audio = frame.subarray(start)
  if (audio.length % SYMBOL_BYTES !== 0) throw new Refusal('bad_frame', 'the audio is cut short')
  return { header: parseHeader(frame.toString('utf8', PREFIX, start)), audio }
}

function parseHeader(text: string): AudioHeader {
  try {
    const { utterance, last } = JSON.parse(text) as Record<string, unknown>
    if (typeof utterance === 'string' && typeof last === 'boolean') return { utterance, last }
  } catch {
    // Rejected below, like any other invalid header.
  }
  throw new Refusal('bad_frame', 'the header says nothing')
}
