import type { Attribute, AttributeValue, LogRecord, Resource, Span } from '../model.ts'
import { spanKinds } from '../model.ts'

/** Times are kept in microseconds: the last three digits of nanoseconds are zero. */
export function nanoseconds(epochMs: number): string {
  return `${Math.round(epochMs * 1000)}000`
}

/** Attributes as OTLP/JSON has them. Arrays and maps were kept as JSON text and stay text. */
export function attributesOf(attributes: readonly Attribute[]) {
  return attributes.map(([key, value]) => ({ key, value: otlpValue(value) }))
}

function otlpValue(value: AttributeValue) {
  if (typeof value === 'boolean') return { boolValue: value }
  if (typeof value === 'number')
    return Number.isSafeInteger(value) ? { intValue: String(value) } : { doubleValue: value }
  return { stringValue: value }
}

export function spanOf(span: Span) {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    ...(span.parentSpanId !== '' && { parentSpanId: span.parentSpanId }),
    name: span.name,
    kind: spanKinds.indexOf(span.kind),
    startTimeUnixNano: nanoseconds(span.start),
    endTimeUnixNano: nanoseconds(span.start + span.duration),
    attributes: attributesOf(span.attributes),
    ...(span.dropped > 0 && { droppedAttributesCount: span.dropped }),
    events: span.events.map(({ name, time, attributes }) => {
      return { name, timeUnixNano: nanoseconds(time), attributes: attributesOf(attributes) }
    }),
    links: span.links.map(({ traceId, spanId, attributes }) => {
      return { traceId, spanId, attributes: attributesOf(attributes) }
    }),
    status: { ...(span.error && { code: 2 }), ...(span.statusMessage !== '' && { message: span.statusMessage }) },
  }
}

export function logOf(log: LogRecord) {
  return {
    timeUnixNano: nanoseconds(log.time),
    ...(log.severity > 0 && { severityNumber: log.severity }),
    ...(log.severityText !== '' && { severityText: log.severityText }),
    body: { stringValue: log.body },
    ...(log.eventName !== '' && { eventName: log.eventName }),
    attributes: attributesOf(log.attributes),
    ...(log.dropped > 0 && { droppedAttributesCount: log.dropped }),
    ...(log.traceId !== '' && { traceId: log.traceId }),
    ...(log.spanId !== '' && { spanId: log.spanId }),
  }
}

interface Scoped {
  readonly resource: Resource
  readonly scope: string
}

/** Records by resource and scope, as an export request has them. */
export function grouped<T extends Scoped, U>(records: Iterable<T>, encode: (record: T) => U) {
  const groups = new Map<Resource, Map<string, U[]>>()
  for (const record of records) {
    const scopes = groups.get(record.resource) ?? new Map<string, U[]>()
    groups.set(record.resource, scopes)
    const list = scopes.get(record.scope)
    if (list === undefined) scopes.set(record.scope, [encode(record)])
    else list.push(encode(record))
  }
  return [...groups].map(([resource, scopes]) => ({
    resource: { attributes: attributesOf(resource.attributes) },
    scopes: [...scopes].map(([name, list]) => ({ scope: { name }, list })),
  }))
}
