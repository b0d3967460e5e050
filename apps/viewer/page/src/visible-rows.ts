import type { SpanDetail, TraceDetail } from '../../src/wire.ts'

/** A span of the waterfall as a row. */
export interface SpanRow {
  readonly span: SpanDetail
  readonly depth: number
  /** Spans below it that are drawn or would be; 0 for none. */
  readonly below: number
  readonly folded: boolean
}

/** The rows of a waterfall, without those below a span that is folded. */
export function visibleRows({ spans, depths }: TraceDetail, folded: ReadonlySet<string>): SpanRow[] {
  const rows: SpanRow[] = []
  let hiddenBelow = Number.POSITIVE_INFINITY
  for (let index = 0; index < spans.length; index++) {
    const span = spans[index]!
    const depth = depths[index] ?? 0
    if (depth > hiddenBelow) continue
    hiddenBelow = folded.has(span.key) ? depth : Number.POSITIVE_INFINITY
    rows.push({ span, depth, below: countBelow(depths, index), folded: folded.has(span.key) })
  }
  return rows
}

function countBelow(depths: readonly number[], index: number): number {
  let end = index + 1
  while (end < depths.length && depths[end]! > depths[index]!) end++
  return end - index - 1
}
