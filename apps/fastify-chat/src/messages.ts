/** Messages of a client. */
export type ClientMessage =
  | { readonly type: 'say'; readonly text: string }
  | { readonly type: 'whisper'; readonly to: string; readonly text: string }
  | { readonly type: 'announce'; readonly text: string }
  | { readonly type: 'search'; readonly text: string }
  | { readonly type: 'translate'; readonly text: string }
  | { readonly type: 'remind'; readonly text: string }

/** Messages of the server. */
export type ServerMessage =
  | { readonly type: 'welcome'; readonly you: string; readonly room: string; readonly members: readonly string[] }
  | { readonly type: 'joined' | 'left'; readonly user: string; readonly members: readonly string[] }
  | { readonly type: 'said' | 'whispered' | 'announced'; readonly from: string; readonly text: string }
  | { readonly type: 'found'; readonly text: string; readonly matches: readonly string[] }
  | { readonly type: 'reminder'; readonly text: string }
  | { readonly type: 'error'; readonly message: string }

const TYPES: ReadonlySet<unknown> = new Set<ClientMessage['type']>([
  'say',
  'whisper',
  'announce',
  'search',
  'translate',
  'remind',
])

/** A message that violates the chat's protocol. Its sender receives an error and is disconnected. */
export class BadMessage extends Error {
  override readonly name = 'BadMessage'
}

/** Parses what a client sent; throws a {@link BadMessage} that says what is wrong. */
export function parseClientMessage(data: string): ClientMessage {
  let message: unknown
  try {
    message = JSON.parse(data)
  } catch {
    throw new BadMessage('not JSON')
  }
  if (typeof message !== 'object' || message === null) throw new BadMessage('not an object')
  const { type, text, to } = message as Record<string, unknown>
  if (!TYPES.has(type)) throw new BadMessage('unknown type')
  if (typeof text !== 'string') throw new BadMessage('no text')
  if (type === 'whisper' && typeof to !== 'string') throw new BadMessage('whisper has no recipient')
  return message as ClientMessage
}
