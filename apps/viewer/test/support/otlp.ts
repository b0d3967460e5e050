/* Spans as OTLP/JSON has them, in as few words as a test needs. */

export const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
export const int = (key: string, value: number) => ({ key, value: { intValue: String(value) } })
export const hex = (number: number, length: number) => number.toString(16).padStart(length, '0')
export const nanoseconds = (epochMs: number) => `${Math.round(epochMs * 1000)}000`
/** What the times of spans are counted from, epoch milliseconds. */
export const now = Date.now()

interface Made {
  readonly trace: number
  readonly span: number
  readonly parent?: number
  readonly name: string
  /** Milliseconds before now. Default 5000. */
  readonly at?: number
  readonly duration?: number
  readonly [more: string]: unknown
}

/** A span; ids are small numbers, and further fields are those of OTLP/JSON. */
export function otlpSpan({ trace, span, parent, name, at = 5000, duration = 1, ...more }: Made) {
  return {
    traceId: hex(trace, 32),
    spanId: hex(span, 16),
    ...(parent !== undefined && { parentSpanId: hex(parent, 16) }),
    name,
    kind: 1,
    startTimeUnixNano: nanoseconds(now - at),
    endTimeUnixNano: nanoseconds(now - at + duration),
    ...more,
  }
}

/** Attributes of every span of a connection. */
export const ofConnection = (id: string, user: string) => [
  text('websocket.connection.id', id),
  text('websocket.route', '/chat'),
  text('user.id', user),
]
