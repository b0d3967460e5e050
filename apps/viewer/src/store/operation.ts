import { attribute, type Span } from '../model.ts'
import { BROADCAST_RECIPIENTS, CONNECTION_ID, HANDSHAKE_OUTCOME, ROUTE } from '../names.ts'

export const operations = [
  'connect',
  'handshake',
  'connection',
  'open',
  'process',
  'send',
  'broadcast',
  'deliver',
  'complete',
  'disconnect',
  'close',
] as const
/** What a span of otel-ws covers; empty for the spans of others. */
export type Operation = (typeof operations)[number] | ''

/** Reads the operation from the span's attributes and the first word of its name. */
export function operationOf(span: Span): Operation {
  const { attributes, name } = span
  // The name of a handshake is a method and a route, of a client's attempt `connect` and a route.
  if (attribute(attributes, HANDSHAKE_OUTCOME) !== undefined) return span.kind === 'client' ? 'connect' : 'handshake'
  const known =
    attribute(attributes, CONNECTION_ID) !== undefined ||
    attribute(attributes, ROUTE) !== undefined ||
    attribute(attributes, BROADCAST_RECIPIENTS) !== undefined
  if (!known) return ''
  const space = name.indexOf(' ')
  const word = space < 0 ? name : name.slice(0, space)
  return operations.find((operation) => operation === word) ?? ''
}

/**
 * Whether the span is of the client's end of its connection. Both ends record a connection under one id where they
 * have agreed on it, and may live in one process.
 */
export function isOfClient(span: Span): boolean {
  return span.scope === '@otel-ws/client'
}
