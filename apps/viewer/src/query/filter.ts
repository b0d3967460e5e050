import { attribute, type Span } from '../model.ts'
import * as names from '../names.ts'
import type { Trace } from '../store/traces.ts'

/** What a trace must have to be listed; empty fields ask for nothing. */
export interface TraceFilter {
  /** Words; each must be part of a span's name, an id of trace or connection, or `key=value` of an attribute. */
  readonly text: string
  readonly service: string
  readonly route: string
  readonly connection: string
  readonly errors: boolean
  /** Milliseconds. */
  readonly minDuration: number
}

/** Makes the filter's test, cheapest conditions first. */
export function traceTest(filter: TraceFilter): (trace: Trace) => boolean {
  const spanTests = filter.text.split(/\s+/).filter(Boolean).map(wordTest)
  if (filter.service !== '') spanTests.push((span) => span.resource.service === filter.service)
  if (filter.route !== '') spanTests.push((span) => routeOf(span) === filter.route)
  if (filter.connection !== '') spanTests.push(attributeTest(names.CONNECTION_ID, filter.connection))
  return (trace) => {
    if (filter.errors && trace.errors === 0) return false
    if (filter.minDuration > 0 && trace.end - trace.start < filter.minDuration) return false
    return spanTests.every((test) => some(trace, test))
  }
}

function wordTest(word: string): (span: Span) => boolean {
  const equals = word.indexOf('=')
  if (equals > 0) return attributeTest(word.slice(0, equals), word.slice(equals + 1))
  const lower = word.toLowerCase()
  return (span) =>
    span.name.toLowerCase().includes(lower) ||
    span.traceId === lower ||
    attribute(span.attributes, names.CONNECTION_ID) === word
}

function attributeTest(key: string, value: string): (span: Span) => boolean {
  return (span) => {
    const found = attribute(span.attributes, key)
    return found !== undefined && String(found) === value
  }
}

export function routeOf(span: Span): string {
  const route = attribute(span.attributes, names.ROUTE) ?? attribute(span.attributes, names.NAMESPACE)
  return typeof route === 'string' ? route : ''
}

function some(trace: Trace, test: (span: Span) => boolean): boolean {
  for (const span of trace.spans.values()) if (test(span)) return true
  return false
}
