import { caseOf } from './cases.ts'
import type { ComparisonFigures, EchoFigures, HeapFigures } from './figures.ts'
import type { Samples } from './samples.ts'
import type { Estimate } from './statistics.ts'
import { against, table } from './table.ts'

/** The table of CPU and of allocation per message. Cells of what has not been measured are empty. */
export function messageTable(
  title: string,
  ids: readonly string[],
  figures: readonly EchoFigures[],
  samples: Samples,
): string {
  const rows = ids.map((id) => {
    const { label, baseline, targetRatio, targetOfLimit } = caseOf(id)
    const echo = figures.find((candidate) => candidate.id === id)
    const isBaseline = id === baseline
    const allocated = samples.allocated(id)
    const ofBaseline = samples.allocated(baseline)
    return [
      label,
      echo === undefined ? '' : echo.cpu.toFixed(2),
      echo === undefined || isBaseline ? '' : withInterval(echo.added),
      echo === undefined || isBaseline ? '' : against(withInterval(echo.ratio), echo.ratio.mean, targetRatio),
      echo?.ofLimit === undefined ? '' : against(withInterval(echo.ofLimit), echo.ofLimit.mean, targetOfLimit),
      allocated === undefined ? '' : allocated.toFixed(0),
      allocated === undefined || ofBaseline === undefined || isBaseline ? '' : (allocated - ofBaseline).toFixed(0),
    ]
  })
  return table(
    [title, 'µs/message', 'added µs', 'ratio to bare', 'added, to bare SDK calls', 'B/message', 'added B'],
    rows,
  )
}

/** The table of heap per idle connection. */
export function heapTable(title: string, figures: readonly HeapFigures[]): string {
  const rows = figures.map(({ id, bytes, added }) => {
    const { label, baseline, targetHeap } = caseOf(id)
    return [label, bytes.toFixed(0), id === baseline ? '' : against(added.toFixed(0), added, targetHeap, ' B')]
  })
  return table([title, 'B/connection', 'added B'], rows)
}

/** The table of two checkouts side by side. */
export function comparisonTable(title: string, figures: readonly ComparisonFigures[]): string {
  const rows = figures.map(({ id, ratio, allocated, heap }) => [
    id,
    ratio === undefined ? '' : withInterval(ratio, 3),
    ...change(allocated),
    ...change(heap),
  ])
  return table([title, 'CPU after : before', 'B/message', 'change', 'B/connection', 'change'], rows)
}

function change(pair: { before: number; after: number } | undefined): [string, string] {
  if (pair === undefined) return ['', '']
  const difference = Math.round(pair.after - pair.before)
  return [`${pair.before.toFixed(0)} → ${pair.after.toFixed(0)}`, difference > 0 ? `+${difference}` : `${difference}`]
}

/** A figure and its interval of 95 %, such as `1.31 (1.28–1.34)`. */
function withInterval({ mean, low, high }: Estimate, digits = 2): string {
  if (low === high) return mean.toFixed(digits)
  return `${mean.toFixed(digits)} (${low.toFixed(digits)}–${high.toFixed(digits)})`
}

/** Lines about cases that exported more or fewer spans than their messages need: their figures cannot be compared. */
export function spanComplaints(figures: readonly EchoFigures[]): string[] {
  return figures
    .filter(({ id, spans }) => Math.abs(spans - caseOf(id).spansPerMessage) > 0.001)
    .map(
      ({ id, spans }) =>
        `! ${id} exported ${spans.toFixed(3)} spans per message instead of ${caseOf(id).spansPerMessage}`,
    )
}
