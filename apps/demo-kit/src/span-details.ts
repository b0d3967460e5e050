import { type AttributeValue, SpanStatusCode } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { formatBytes, formatDuration } from './duration.ts'

/** Attributes that are shown as words, are shown in other columns, or are not shown. */
const NOT_LISTED =
  /^(websocket|http|url|network|server|client|user|user_agent|error|exception|code|graphql|rpc|jsonrpc)\./

/**
 * Returns the error of a span, such as `SyntaxError: Unexpected token`; `undefined` if its status is not an error, and
 * empty if the details show it.
 */
export function errorOf(span: ReadableSpan): string | undefined {
  if (span.status.code !== SpanStatusCode.ERROR) return undefined
  if (span.attributes['websocket.close.code'] !== undefined) return ''
  const exception = span.events.find((event) => event.name === 'exception')?.attributes
  const type = span.attributes['error.type'] ?? exception?.['exception.type']
  const message = exception?.['exception.message'] ?? span.status.message
  return [type, message].filter((part) => part !== undefined && part !== '').join(': ') || 'error'
}

/** Describes the attributes of a span in a few words, the most important first. */
export function detailsOf(span: ReadableSpan): string[] {
  const attributes = span.attributes
  const details: string[] = []
  const add = (key: string, words: (value: AttributeValue) => string) => {
    const value = attributes[key]
    if (value !== undefined) details.push(words(value))
  }

  const node = span.resource?.attributes['service.instance.id']
  if (node !== undefined) details.push(String(node))
  const outcome = attributes['websocket.handshake.outcome']
  // What a guard or a pipe refuses is no error of the server.
  if (span.status.code !== SpanStatusCode.ERROR && outcome === undefined)
    add('error.type', (type) => `refused: ${type}`)
  if (outcome !== undefined) details.push(words(attributes['http.response.status_code'], outcome))
  else add('http.response.status_code', String)

  const code = attributes['websocket.close.code']
  if (code !== undefined) {
    details.push(words(code, attributes['websocket.close.category'], attributes['websocket.close.initiator']))
    add('websocket.close.reason', (reason) => `"${reason}"`)
  }
  add('user.id', String)
  add('websocket.connection.duration', (seconds) => formatDuration(Number(seconds) * 1_000))
  add('websocket.connection.messages.received', (count) => `${count} in`)
  add('websocket.connection.messages.sent', (count) => `${count} out`)
  add('websocket.connection.spans.dropped', (count) => `${count} spans dropped`)

  add('websocket.broadcast.recipients', (count) => (count === 1 ? '1 recipient' : `${count} recipients`))
  add('websocket.broadcast.skipped', (count) => (Number(count) > 0 ? `${count} skipped` : ''))
  add('websocket.deliver.lag', (seconds) => `lag ${formatDuration(Number(seconds) * 1_000)}`)
  add('websocket.message.sequence', (sequence) => `#${sequence}`)
  add('websocket.message.size', (bytes) => formatBytes(Number(bytes)))
  add('websocket.message.name_original', (name) => `named "${name}"`)
  add('websocket.ack.outcome', (ack) => `ack ${ack}`)
  add('websocket.operation.outcome', (ended) => (ended === 'ok' || ended === 'error' ? '' : String(ended)))
  add('websocket.stream.items', (count) => `${count} items`)
  add('websocket.stream.time_to_first_item', (seconds) => `first after ${formatDuration(Number(seconds) * 1_000)}`)
  add('websocket.stream.item_interval', (seconds) => `every ${formatDuration(Number(seconds) * 1_000)}`)
  add('websocket.stream.outcome', (outcome) => (outcome === 'completed' ? '' : `stream ${outcome}`))
  add('code.function.name', String)
  add('websocket.span.ended_by', (by) => `ended by ${by}`)
  for (const [key, value] of Object.entries(attributes)) {
    if (!NOT_LISTED.test(key) && value !== undefined) details.push(`${key}=${value}`)
  }
  return details.filter((detail) => detail !== '')
}

function words(...parts: readonly (AttributeValue | undefined)[]): string {
  return parts.filter((part) => part !== undefined && part !== '').join(' ')
}
