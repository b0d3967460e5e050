import { type AttributeValue, attribute } from '../../src/model.ts'
import { contains, meets } from '../../src/search/match.ts'
import { parseSearch, type Term } from '../../src/search/parse.ts'
import type { SpanDetail } from '../../src/wire.ts'

/** The span of a trace that most deserves to be looked at first: what was searched for, what failed, else the root. */
export function mostNotable(spans: readonly SpanDetail[], sought: string): SpanDetail | undefined {
  const terms = parseSearch(sought).terms.filter(({ negated }) => !negated)
  const named = terms.length === 0 ? [] : spans.filter((span) => terms.every((term) => has(span, term)))
  return named.find((span) => span.error) ?? longest(named) ?? spans.find((span) => span.error) ?? spans[0]
}

function longest(spans: readonly SpanDetail[]): SpanDetail | undefined {
  return spans.reduce<SpanDetail | undefined>(
    (most, one) => (one.duration > (most?.duration ?? -1) ? one : most),
    undefined,
  )
}

function has(span: SpanDetail, term: Term): boolean {
  if (term.kind === 'text') {
    return contains(term, span.name) || span.attributes.some(([, value]) => contains(term, value))
  }
  return meets(term, attribute(span.attributes, term.key) ?? shown(span, term.key))
}

function shown(span: SpanDetail, key: string): AttributeValue | undefined {
  if (key === 'name' || key === 'service' || key === 'duration' || key === 'kind' || key === 'operation')
    return span[key]
  if (key === 'error') return span.error ? (attribute(span.attributes, 'error.type') ?? span.statusMessage) : undefined
  return attribute(span.resource, key)
}
