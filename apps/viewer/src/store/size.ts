import type { Attribute, LogRecord, Resource, Span } from '../model.ts'

/** Approximate bytes that a span holds in memory, without its resource; short strings are shared and count as a reference. */
export function approximateBytes(span: Span): number {
  let bytes = 600 + text(span.name) + text(span.statusMessage) + attributes(span.attributes)
  for (const event of span.events) bytes += 120 + text(event.name) + attributes(event.attributes)
  for (const link of span.links) bytes += 400 + attributes(link.attributes)
  return bytes
}

/** Approximate bytes that a log record holds in memory, without its resource. */
export function logBytes(log: LogRecord): number {
  return 400 + text(log.body) + attributes(log.attributes)
}

/** Approximate bytes of a resource, which all spans of its sender share. */
export function resourceBytes(resource: Resource): number {
  return 200 + attributes(resource.attributes)
}

function attributes(pairs: readonly Attribute[]): number {
  let bytes = 0
  for (const [key, value] of pairs) bytes += 48 + text(key) + (typeof value === 'string' ? text(value) : 8)
  return bytes
}

function text(value: string): number {
  return value.length > 64 ? 2 * value.length : 8
}
