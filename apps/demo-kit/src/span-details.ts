import { type AttributeValue, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { formatBytes, formatDuration } from './duration.ts'

/** Attributes told in words, by the row's other columns, or of no help to somebody who reads along. */
const TOLD = /^(websocket|http|url|network|server|client|user|user_agent|error|exception|code)\./

/**
 * Tells the error of a span, `SyntaxError: Unexpected token`; undefined when its status is not an error, and empty when
 * the details say it all.
 */
export function errorOf(span: ReadableSpan): string | undefined {
  if (span.status.code !== SpanStatusCode.ERROR) return undefined
  if (span.attributes['websocket.close.code'] !== undefined) return ''
  const exception = span.events.find((event) => event.name === 'exception')?.attributes
  const type = span.attributes['error.type'] ?? exception?.['exception.type']
  const message = exception?.['exception.message'] ?? span.status.message
  return [type, message].filter((part) => part !== undefined && part !== '').join(': ') || 'error'
}

/** Tells in a few words what a span's attributes say, the most telling first. */
export function detailsOf(span: ReadableSpan): string[] {
  const attributes = span.attributes
  const details: string[] = []
  const tell = (key: string, words: (value: AttributeValue) => string) => {
    const value = attributes[key]
    if (value !== undefined) details.push(words(value))
  }

  const node = span.resource?.attributes['service.instance.id']
  if (node !== undefined) details.push(String(node))
  const outcome = attributes['websocket.handshake.outcome']
  if (outcome !== undefined) details.push(words(attributes['http.response.status_code'], outcome))
  else tell('http.response.status_code', String)

  const code = attributes['websocket.close.code']
  if (code !== undefined) {
    details.push(words(code, attributes['websocket.close.category'], attributes['websocket.close.initiator']))
    tell('websocket.close.reason', (reason) => `"${reason}"`)
  }
  tell('user.id', String)
  tell('websocket.connection.duration', (seconds) => formatDuration(Number(seconds) * 1_000))
  tell('websocket.connection.messages.received', (count) => `${count} in`)
  tell('websocket.connection.messages.sent', (count) => `${count} out`)
  tell('websocket.connection.spans.dropped', (count) => `${count} spans dropped`)

  tell('websocket.broadcast.recipients', (count) => (count === 1 ? '1 recipient' : `${count} recipients`))
  tell('websocket.broadcast.skipped', (count) => (Number(count) > 0 ? `${count} skipped` : ''))
  tell('websocket.deliver.lag', (seconds) => `lag ${formatDuration(Number(seconds) * 1_000)}`)
  tell('websocket.message.sequence', (sequence) => `#${sequence}`)
  tell('websocket.message.size', (bytes) => formatBytes(Number(bytes)))
  tell('websocket.message.name_original', (name) => `named "${name}"`)
  tell('websocket.ack.outcome', (ack) => `ack ${ack}`)
  tell('websocket.stream.items', (count) => `${count} items`)
  tell('websocket.stream.time_to_first_item', (seconds) => `first after ${formatDuration(Number(seconds) * 1_000)}`)
  tell('websocket.stream.item_interval', (seconds) => `every ${formatDuration(Number(seconds) * 1_000)}`)
  tell('websocket.stream.outcome', (outcome) => (outcome === 'completed' ? '' : `stream ${outcome}`))
  tell('code.function.name', String)
  tell('websocket.span.ended_by', (by) => `ended by ${by}`)
  for (const [key, value] of Object.entries(attributes)) {
    if (!TOLD.test(key) && value !== undefined) details.push(`${key}=${value}`)
  }
  return details.filter((detail) => detail !== '')
}

function words(...parts: readonly (AttributeValue | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' ')
}
