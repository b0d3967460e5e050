import { duration } from '../format.ts'
import { numberAttribute, type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'
import type { Operation } from '../store/operation.ts'

/** Says in a few words what a span's attributes say that its name does not; empty for the spans of others. */
export function noteOf(span: Span, operation: Operation): string {
  if (operation === '') return ''
  return partsOf(span, operation).filter(Boolean).join(', ')
}

function partsOf(span: Span, operation: Operation): string[] {
  const text = (key: string) => textAttribute(span.attributes, key)
  const number = (key: string) => numberAttribute(span.attributes, key)
  const after = (words: string, key: string) => {
    const seconds = number(key)
    return seconds === undefined ? '' : `${words} ${duration(seconds * 1000)}`
  }
  switch (operation) {
    case 'connect':
    case 'handshake':
      return [
        `${text(names.HANDSHAKE_OUTCOME)} ${text(names.HTTP_STATUS)}`.trim(),
        text(names.TRANSPORT),
        number(names.RECONNECT_ATTEMPT) === undefined ? '' : `attempt ${number(names.RECONNECT_ATTEMPT)} to reconnect`,
        after('after', names.RECONNECT_DOWNTIME),
      ]
    case 'broadcast':
    case 'deliver':
      return [...recipients(number), after('lag', names.DELIVER_LAG), ack(text)]
    case 'process':
      return [...stream(text, number, after), ack(text)]
    case 'send':
      return [ack(text), undelivered(text)]
    case 'close':
    case 'connection':
      return [`${text(names.CLOSE_CATEGORY)} ${text(names.CLOSE_CODE)}`.trim(), text(names.CLOSE_REASON)]
    default:
      return []
  }
}

type Text = (key: string) => string
type Numeric = (key: string) => number | undefined

function recipients(number: Numeric): string[] {
  const reached = number(names.BROADCAST_RECIPIENTS)
  if (reached === undefined) return []
  const skipped = number(names.BROADCAST_SKIPPED) ?? 0
  return [`to ${reached} here`, skipped > 0 ? `${skipped} skipped` : '']
}

function stream(text: Text, number: Numeric, after: (words: string, key: string) => string): string[] {
  const items = number(names.STREAM_ITEMS)
  if (items === undefined) return []
  const outcome = text(names.STREAM_OUTCOME)
  return [
    `${items} item${items === 1 ? '' : 's'}`,
    after('first after', names.STREAM_FIRST_ITEM),
    outcome === 'completed' ? '' : outcome,
  ]
}

function ack(text: Text): string {
  const outcome = text(names.ACK_OUTCOME)
  return outcome === '' ? '' : `ack ${outcome}`
}

function undelivered(text: Text): string {
  const reason = text(names.UNDELIVERED_REASON)
  return reason === '' ? '' : `not delivered: ${reason}`
}
