import type { ClientConnection } from './connection.ts'
import type { MessageContext } from './message-context.ts'

/** Makes the context in messages of a connection. */
export type MessageContextFactory = (connection: ClientConnection) => MessageContext

let inUse: MessageContextFactory | undefined

/** Connections that are traced from now on can have context in their messages. A page that never asks carries no code for it. */
export function useMessageContext(factory: MessageContextFactory): void {
  inUse = factory
}

/** What makes the context in messages; `undefined` while nobody has asked for any. */
export function messageContextInUse(): MessageContextFactory | undefined {
  return inUse
}
