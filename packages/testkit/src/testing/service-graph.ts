import { type Link, type SpanContext, SpanKind } from '@opentelemetry/api'

/** The members of a span that a service graph is drawn from. */
export interface GraphSpan {
  readonly name: string
  readonly kind: SpanKind
  readonly context: Pick<SpanContext, 'traceId' | 'spanId'>
  /** `undefined` for a root. */
  readonly parentSpanId: string | undefined
  readonly links: readonly Pick<Link, 'context'>[]
}

/**
 * The names of the spans that open an edge of a service graph which no other span completes.
 *
 * @param byLinks as in newer releases of the Collector's connector, a CONSUMER span with links is paired by them
 */
export function unpairedSpans(spans: Iterable<GraphSpan>, byLinks: boolean): string[] {
  const open = new Map<string, { readonly side: 'client' | 'server'; readonly name: string }>()
  const unpaired: string[] = []
  function side(key: string, end: 'client' | 'server', name: string): void {
    const other = open.get(key)
    if (other === undefined) open.set(key, { side: end, name })
    else if (other.side !== end) open.delete(key)
    else unpaired.push(name)
  }
  for (const { name, kind, context, parentSpanId, links } of spans) {
    if (kind === SpanKind.CLIENT || kind === SpanKind.PRODUCER)
      side(`${context.traceId} ${context.spanId}`, 'client', name)
    else if (kind === SpanKind.CONSUMER && byLinks && links.length > 0) {
      for (const link of links) side(`${link.context.traceId} ${link.context.spanId}`, 'server', name)
    } else if (kind === SpanKind.SERVER || kind === SpanKind.CONSUMER) {
      side(`${context.traceId} ${parentSpanId ?? ''}`, 'server', name)
    }
  }
  return [...unpaired, ...[...open.values()].map(({ name }) => name)].sort()
}
