import { attribute, type Span } from '../model.ts'
import { BROADCAST_RECIPIENTS, CONNECTION_ID, HANDSHAKE_OUTCOME, ROUTE } from '../names.ts'

export const operations = [
  'handshake',
  'connection',
  'open',
  'process',
  'send',
  'broadcast',
  'deliver',
  'close',
] as const
/** What a span of otel-ws covers; empty for the spans of others. */
export type Operation = (typeof operations)[number] | ''

/** Tells the operation from the span's attributes and the first word of its name. */
export function operationOf(span: Span): Operation {
  const { attributes, name } = span
  if (attribute(attributes, HANDSHAKE_OUTCOME) !== undefined) return 'handshake'
  const ours =
    attribute(attributes, CONNECTION_ID) !== undefined ||
    attribute(attributes, ROUTE) !== undefined ||
    attribute(attributes, BROADCAST_RECIPIENTS) !== undefined
  if (!ours) return ''
  const space = name.indexOf(' ')
  const word = space < 0 ? name : name.slice(0, space)
  return operations.find((operation) => operation === word) ?? ''
}
