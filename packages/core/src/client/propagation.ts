import type { Connect } from './connect.ts'
import type { MessageContext, MessageContextOwner } from './message-context.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** Propagation to a server: connects that start before their socket is created, and context in messages. */
export interface ClientPropagation {
  /**
   * The connect that was started before its socket was created.
   *
   * @param announced the part of the request that contains its context: the URL, or the header `traceparent`
   */
  pendingConnect(telemetry: ClientTelemetry, url: string, announced?: string): Connect | undefined
  /** Creates the context in messages of a connection, whose URL may contain the offer. */
  messageContext(connection: MessageContextOwner, url: string | undefined): MessageContext
}

let registered: ClientPropagation | undefined

/** Registers the implementation. A page that does not propagate context does not contain its code. */
export function connectPropagation(propagation: ClientPropagation): void {
  registered = propagation
}

/** The registered implementation. */
export function connectedPropagation(): ClientPropagation | undefined {
  return registered
}
