import type { Telemetry } from '@otel-ws/testkit'

/** What one end of a connection has told of it. */
export interface Report {
  /** Every id that a span of it has. */
  readonly ids: readonly unknown[]
  /** Sequence, type and size of each message. */
  readonly sent: readonly unknown[][]
  readonly received: readonly unknown[][]
  /** Messages and bytes: sent, received. */
  readonly totals: readonly unknown[]
}

export function reportOf(telemetry: Telemetry): Report {
  const spans = telemetry.spans().filter((span) => 'websocket.connection.id' in span.attributes)
  const messages = (operation: string) =>
    spans
      .filter((span) => span.name.startsWith(operation) && 'websocket.message.sequence' in span.attributes)
      .map(({ attributes }) => ['sequence', 'type', 'size'].map((name) => attributes[`websocket.message.${name}`]))
      .sort(([a], [b]) => Number(a) - Number(b))
  const close = spans.find((span) => span.name.startsWith('close'))?.attributes ?? {}
  const total = (name: string) => close[`websocket.connection.${name}`]
  return {
    ids: [...new Set(spans.map((span) => span.attributes['websocket.connection.id']))],
    sent: messages('send'),
    received: messages('process'),
    totals: ['messages.sent', 'bytes.sent', 'messages.received', 'bytes.received'].map(total),
  }
}
