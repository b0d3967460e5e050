import { Refusal } from './errors.ts'

/** Path of the assistant's sockets, on both platforms. */
export const PATH = '/assistant'

/** Data of event `listen`, which a client sends before the audio of an utterance. */
export interface ListenRequest {
  readonly utterance: string
}

/** Answers that the server streams to `listen`: the transcription, then words and their audio in turn, then the end. */
export type Reply =
  | { readonly event: 'heard'; readonly data: { readonly utterance: string; readonly text: string } }
  | { readonly event: 'token'; readonly data: { readonly utterance: string; readonly text: string } }
  | { readonly event: 'audio'; readonly data: Buffer }
  | { readonly event: 'done'; readonly data: { readonly utterance: string; readonly tokens: number } }

/** Message of the server when a timer rings. */
export interface TimerEvent {
  readonly seconds: number
}

/** Answer to `history`. */
export interface History {
  readonly asked: readonly string[]
}

/** Reads the body of a `listen`; throws a {@link Refusal} for anything else. */
export function parseListenRequest(body: unknown): ListenRequest {
  const utterance = typeof body === 'object' && body !== null ? (body as { utterance?: unknown }).utterance : undefined
  if (typeof utterance !== 'string' || utterance.length === 0 || utterance.length > 64) {
    throw new Refusal('bad_request', 'an utterance has an id of 1 to 64 characters')
  }
  return { utterance }
}
