import type { Trace, TraceStore } from '../store/traces.ts'
import type { ComparisonRow, TraceComparison } from '../wire.ts'
import { rootOf, row } from './trace-list.ts'
import { treeOf } from './trace-tree.ts'

/** Places of the tree that are shown. */
const most = 500
/** Traces that are looked at for others of the name: the newest. */
const mostLooked = 20_000

type Row = { -readonly [Key in keyof ComparisonRow]: ComparisonRow[Key] }

/**
 * Compares a trace with another one. Spans are put together by the names on the path to them, so that a step that ran
 * ten times in one and once in the other is one row. `otherId` `-` takes the trace of the same name whose duration is
 * in the middle. Undefined when the trace is not kept, null when the other one is not.
 */
export function compareTraces(traces: TraceStore, id: string, otherId: string): TraceComparison | null | undefined {
  const a = traces.get(id)
  if (a === undefined) return undefined
  const same = ofSameName(traces, a)
  const b = otherId === '-' ? same[Math.floor(same.length / 2)] : traces.get(otherId)
  if (b === undefined) return null
  const rows = new Map<string, Row>()
  addSpans(rows, a, 'A')
  addSpans(rows, b, 'B')
  const ordered = inOrder(rows)
  const others = [...same.slice(0, 5), ...same.slice(-5)].filter((one, index, all) => all.indexOf(one) === index)
  return {
    a: row(a),
    b: row(b),
    rows: ordered.slice(0, most),
    omitted: Math.max(0, ordered.length - most),
    others: others.map(row),
  }
}

/** Other traces whose root has the same name and service, fastest first. */
function ofSameName(traces: TraceStore, trace: Trace): Trace[] {
  const root = rootOf(trace)
  const found: Trace[] = []
  let looked = 0
  for (const one of traces.newest()) {
    if (++looked > mostLooked) break
    if (one === trace) continue
    const other = rootOf(one)
    if (other.name === root.name && other.resource.service === root.resource.service) found.push(one)
  }
  return found.sort((a, b) => a.end - a.start - (b.end - b.start))
}

function addSpans(rows: Map<string, Row>, trace: Trace, side: 'A' | 'B'): void {
  const paths = new Map<string, string>()
  for (const { key, span, parent, depth } of treeOf(trace)) {
    const path = `${paths.get(parent) ?? ''}\n${span.resource.service} ${span.name}`
    paths.set(key, path)
    let found = rows.get(path)
    if (found === undefined) {
      found = {
        name: span.name,
        service: span.resource.service,
        depth,
        countA: 0,
        countB: 0,
        durationA: 0,
        durationB: 0,
        errorsA: 0,
        errorsB: 0,
      }
      rows.set(path, found)
    }
    found[`count${side}`]++
    found[`duration${side}`] += span.duration
    if (span.error) found[`errors${side}`]++
  }
}

/** Parents before children: what only the second trace has stands under its parent, not at the end. */
function inOrder(rows: ReadonlyMap<string, Row>): Row[] {
  const children = new Map<string, string[]>()
  for (const path of rows.keys()) {
    const parent = path.slice(0, path.lastIndexOf('\n'))
    const list = children.get(parent)
    if (list === undefined) children.set(parent, [path])
    else list.push(path)
  }
  const ordered: Row[] = []
  const stack = [...(children.get('') ?? [])].reverse()
  while (stack.length > 0) {
    const path = stack.pop()!
    ordered.push(rows.get(path)!)
    stack.push(...[...(children.get(path) ?? [])].reverse())
  }
  return ordered
}
