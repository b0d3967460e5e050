import type { Connect } from './connect.ts'
import type { ClientConnection } from './connection.ts'
import type { MessageContext } from './message-context.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** What it takes to have a server take part in a trace: a connect that is announced in its request, and what comes of that. */
export interface ClientPropagation {
  /**
   * The connect that began before its socket was made, which is traced with this telemetry.
   *
   * @param announced what its request carries: the URL, or the header `traceparent`
   */
  pendingConnect(telemetry: ClientTelemetry, url: string, announced?: string): Connect | undefined
  /** Makes the context in messages of a connection, whose URL may ask for it. */
  messageContext(connection: ClientConnection, url: string | undefined): MessageContext
}

let inUse: ClientPropagation | undefined

/** Connects may be announced from now on. A page that announces none carries no code for it. */
export function connectPropagation(announcements: ClientPropagation): void {
  inUse = announcements
}

/** `undefined` while nobody announces any. */
export function connectedPropagation(): ClientPropagation | undefined {
  return inUse
}
