import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { TRACEPARENT, traceparentOf } from '../../../shared/trace-context.ts'
import { HEADER_OFFER } from '../../../testing/offer.ts'
import type { HostSocket } from '../../harness.ts'

/** Options of a client that offers context in messages. */
export const OFFER = { headers: { 'otel-ws': HEADER_OFFER } }

/** Options of a client that offers it from a page. */
export const BROWSER = { headers: { 'otel-ws': HEADER_OFFER, origin: 'https://app.example' } }

/** The JSON text with a carrier in it, by default that of a remote span. */
export function withCarrier(text: string, members = `"traceparent":"${TRACEPARENT}"`): string {
  return text === '{}' ? `{"_otel":{${members}}}` : `{"_otel":{${members}},${text.slice(1)}`
}

/** The JSON text with the context of this span in it. */
export function withContextOf(span: ReadableSpan, text: string, flags = '01'): string {
  return withCarrier(text, `"traceparent":"${traceparentOf(span, flags)}"`)
}

/** The same for a member of a broadcast. */
export function withContextOfBroadcast(span: ReadableSpan, text: string): string {
  return withCarrier(text, `"traceparent":"${traceparentOf(span)}","tracestate":"otelws=b"`)
}

/** A connection handler that keeps the messages that the application is given. */
export function keepMessages(messages: unknown[]): (socket: HostSocket) => void {
  return (socket) => socket.onMessage((data) => messages.push(data))
}
