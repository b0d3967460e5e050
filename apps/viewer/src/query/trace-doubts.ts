import { duration, exact, plural } from '../format.ts'
import type { Trace } from '../store/traces.ts'

/** How far a child may begin before its parent before that is said, in milliseconds: two clocks never agree to the digit. */
const tolerance = 1

/** What is doubtful about a trace, in words: clocks that disagree, parents that are missing, ids that are not unique. */
export function doubtsOf(trace: Trace): string[] {
  const missing = new Set<string>()
  const skews = new Map<string, { spans: number; most: number }>()
  let orphans = 0
  for (const span of trace.spans.values()) {
    if (span.parentSpanId === '') continue
    const parent = trace.spans.get(span.parentSpanId)
    if (parent === undefined) {
      orphans++
      missing.add(span.parentSpanId)
      continue
    }
    // A child may outlive its parent; it cannot begin before it, nor after the end of one that has waited for it.
    const early = parent.start - span.start
    if (early <= tolerance) continue
    const clocks = `${clockOf(span)} than ${clockOf(parent)}`
    const skew = skews.get(clocks) ?? { spans: 0, most: 0 }
    skew.spans++
    skew.most = Math.max(skew.most, early)
    skews.set(clocks, skew)
  }
  return [
    ...[...skews].slice(0, 3).map(([clocks, { spans, most }]) => {
      return `${plural(spans, 'span')} ${spans === 1 ? 'begins' : 'begin'} before the parent, by up to ${duration(most)}: the clocks disagree (another on ${clocks})`
    }),
    ...(skews.size > 3 ? [`the clocks of ${exact(skews.size - 3)} further pairs of processes disagree`] : []),
    ...(orphans > 0
      ? [
          `${plural(orphans, 'span')} ${orphans === 1 ? 'names a parent' : `name ${plural(missing.size, 'parent')}`} that did not arrive: not sampled, not exported yet, or lost`,
        ]
      : []),
    ...(trace.doubled > 0
      ? [
          `${plural(trace.doubled, 'span')} ${trace.doubled === 1 ? 'has' : 'have'} the id of another span: both are drawn`,
        ]
      : []),
    ...(trace.overflow > 0
      ? [
          `${plural(trace.overflow, 'span')} came after the trace was full and ${trace.overflow === 1 ? 'was' : 'were'} dropped`,
        ]
      : []),
  ]
}

function clockOf({ resource: { service, instance } }: { resource: { service: string; instance: string } }): string {
  return instance === '' ? service : `${service} ${instance}`
}
