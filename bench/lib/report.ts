import { caseOf } from './cases.ts'
import type { EchoFigures, HeapFigures } from './figures.ts'
import { against, table } from './table.ts'

/** The table of CPU per message. */
export function echoTable(title: string, figures: readonly EchoFigures[]): string {
  const rows = figures.map(({ id, cpu, spread, added, ratio, ofLimit }) => {
    const { label, baseline, targetRatio, targetOfLimit } = caseOf(id)
    const isBaseline = id === baseline
    return [
      label,
      cpu.toFixed(2),
      `±${(spread * 100).toFixed(0)} %`,
      isBaseline ? '' : added.toFixed(2),
      isBaseline ? '' : against(ratio.toFixed(2), ratio, targetRatio),
      ofLimit === undefined ? '' : against(ofLimit.toFixed(2), ofLimit, targetOfLimit),
    ]
  })
  return table([title, 'µs/message', 'spread', 'added µs', 'ratio to bare', 'added, to bare SDK calls'], rows)
}

/** The table of heap per idle connection. */
export function heapTable(title: string, figures: readonly HeapFigures[]): string {
  const rows = figures.map(({ id, bytes, added }) => {
    const { label, baseline, targetHeap } = caseOf(id)
    return [label, bytes.toFixed(0), id === baseline ? '' : against(added.toFixed(0), added, targetHeap, ' B')]
  })
  return table([title, 'B/connection', 'added B'], rows)
}

/** What makes figures not comparable: a case that exported other spans than its messages call for. */
export function spanComplaints(figures: readonly EchoFigures[]): string[] {
  return figures
    .filter(({ id, spans }) => Math.abs(spans - caseOf(id).spansPerMessage) > 0.001)
    .map(
      ({ id, spans }) =>
        `! ${id} exported ${spans.toFixed(3)} spans per message instead of ${caseOf(id).spansPerMessage}`,
    )
}
