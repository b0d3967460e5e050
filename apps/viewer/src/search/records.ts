import { type Attribute, type AttributeValue, attribute, type LogRecord, type Span } from '../model.ts'
import * as names from '../names.ts'
import { endingOf } from '../store/failure.ts'
import { operationOf } from '../store/operation.ts'
import { connectionOf, routeOf } from '../store/place.ts'
import { contains, meets, startsId } from './match.ts'
import type { KeyTerm, Term, TextTerm } from './parse.ts'

/** Keys that stand for what a span shows and that are no attributes of it. */
export const spanKeys = [
  'name',
  'service',
  'node',
  'route',
  'operation',
  'kind',
  'status',
  'error',
  'duration',
  'trace',
  'span',
  'connection',
  'user',
  'event',
  'scope',
] as const

/** Whether a span has what the term asks for, whether or not the term is negated. */
export function spanHas(span: Span, term: Term): boolean {
  return term.kind === 'text' ? spanShows(span, term) : spanMeets(span, term)
}

function spanShows(span: Span, term: TextTerm): boolean {
  return (
    contains(term, span.name) ||
    contains(term, span.statusMessage) ||
    anyText(span.attributes, term) ||
    startsId(term, span.traceId) ||
    startsId(term, span.spanId) ||
    anyText(span.resource.attributes, term) ||
    contains(term, span.resource.service) ||
    contains(term, span.scope) ||
    contains(term, operationOf(span) || span.kind) ||
    contains(term, endingOf(span)) ||
    span.events.some((event) => contains(term, event.name) || anyText(event.attributes, term)) ||
    span.links.some((link) => startsId(term, link.traceId) || anyText(link.attributes, term))
  )
}

function anyText(attributes: readonly Attribute[], term: TextTerm): boolean {
  // Of keys only what looks like one: `message` would else find every span of a message.
  const isKey = term.text.includes('.')
  for (const [key, value] of attributes) if (contains(term, value) || (isKey && contains(term, key))) return true
  return false
}

function spanMeets(span: Span, term: KeyTerm): boolean {
  const { attributes, resource } = span
  // An attribute of the span goes before what a short key stands for.
  const value = attribute(attributes, term.key) ?? spanValue(span, term.key) ?? attribute(resource.attributes, term.key)
  if (value !== undefined) return meets(term, value)
  return span.events.some(
    (event) => (term.key === 'event' && meets(term, event.name)) || meets(term, attribute(event.attributes, term.key)),
  )
}

function spanValue(span: Span, key: string): AttributeValue | undefined {
  switch (key) {
    case 'name':
      return span.name
    case 'service':
      return span.resource.service
    case 'node':
      return present(span.resource.instance)
    case 'route':
      return present(routeOf(span))
    case 'operation':
      return present(operationOf(span))
    case 'kind':
      return span.kind
    case 'status':
      return span.error ? 'error' : 'ok'
    case 'error':
      return span.error ? (attribute(span.attributes, names.ERROR_TYPE) ?? span.statusMessage) : undefined
    case 'duration':
      return span.duration
    case 'trace':
      return span.traceId
    case 'span':
      return span.spanId
    case 'connection':
      return present(connectionOf(span))
    case 'user':
      return attribute(span.attributes, names.USER_ID)
    case 'scope':
      return present(span.scope)
    default:
      return undefined
  }
}

/** Keys that stand for what a log record shows and that are no attributes of it. */
export const logKeys = ['service', 'node', 'severity', 'level', 'trace', 'span', 'connection', 'user', 'scope'] as const

/** Whether a log record has what the term asks for, whether or not the term is negated. */
export function logHas(log: LogRecord, term: Term): boolean {
  if (term.kind === 'text') {
    return (
      contains(term, log.body) ||
      contains(term, log.severityText) ||
      contains(term, log.eventName) ||
      anyText(log.attributes, term) ||
      startsId(term, log.traceId) ||
      startsId(term, log.spanId) ||
      anyText(log.resource.attributes, term) ||
      contains(term, log.resource.service) ||
      contains(term, log.scope)
    )
  }
  return meets(
    term,
    attribute(log.attributes, term.key) ?? logValue(log, term.key) ?? attribute(log.resource.attributes, term.key),
  )
}

function logValue(log: LogRecord, key: string): AttributeValue | undefined {
  switch (key) {
    case 'service':
      return log.resource.service
    case 'node':
      return present(log.resource.instance)
    case 'severity':
      return log.severity
    case 'level':
      return log.level
    case 'trace':
      return present(log.traceId)
    case 'span':
      return present(log.spanId)
    case 'connection':
      return attribute(log.attributes, names.CONNECTION_ID)
    case 'user':
      return attribute(log.attributes, names.USER_ID)
    case 'scope':
      return present(log.scope)
    default:
      return undefined
  }
}

/** The value, or undefined where it is empty: an empty key is a key that is not there. */
export function present(value: string): string | undefined {
  return value === '' ? undefined : value
}
