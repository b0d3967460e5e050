import { caseOf } from './cases.ts'
import type { Slice } from './measure.ts'
import type { Samples } from './samples.ts'
import { type Estimate, estimate, estimateRatio, mean, median } from './statistics.ts'
import { subjectBefore } from './subjects.ts'

/** Figures of one case, from its measured slices. */
export interface EchoFigures {
  id: string
  /** Server CPU per message, in µs: the median over slices. */
  cpu: number
  /** CPU over the baseline's, in µs. */
  added: Estimate
  /** CPU to the baseline's. */
  ratio: Estimate
  /** Added CPU to that of the direct SDK calls. */
  ofLimit?: Estimate
  /** Spans that each message exported. */
  spans: number
}

/** The figures of one case, or `undefined` as long as there are none. Each is computed pair by pair, within one turn. */
export function echoFigures(id: string, samples: Samples): EchoFigures | undefined {
  const { baseline, limit } = caseOf(id)
  const own = samples.slices(id)
  const bare = samples.slices(baseline)
  const slices = own.flat()
  if (slices.length === 0) return undefined
  const figures: EchoFigures = {
    id,
    cpu: median(slices.map(({ cpu }) => cpu)),
    added: estimate(paired(own, bare, (a, b) => a - b)),
    ratio: estimateRatio(paired(own, bare, (a, b) => a / b)),
    spans: mean(slices.map(({ spans }) => spans)),
  }
  if (limit === undefined) return figures
  // A quotient of differences is too noisy for single pairs.
  const sdk = paired(samples.slices(limit), bare, (a, b) => a - b)
  const ofLimit = paired(own, bare, (a, b) => a - b).map((added, round) =>
    added.length === 0 ? [] : [mean(added) / mean(sdk[round]!)],
  )
  return { ...figures, ofLimit: estimate(ofLimit) }
}

/** Changes of one case from the other checkout to this one. Figures that have not been measured are left out. */
export interface ComparisonFigures {
  id: string
  /** CPU to that of before. */
  ratio?: Estimate
  /** Bytes allocated per message. */
  allocated?: { before: number; after: number }
  /** Bytes per idle connection. */
  heap?: { before: number; after: number }
}

export function comparisonFigures(id: string, samples: Samples): ComparisonFigures {
  const { key } = subjectBefore(id)
  const figures: ComparisonFigures = { id }
  const slices = samples.slices(id)
  if (slices.flat().length > 0) figures.ratio = estimateRatio(paired(slices, samples.slices(key), (a, b) => a / b))
  const allocated = { before: samples.allocated(key), after: samples.allocated(id) }
  if (isComplete(allocated)) figures.allocated = allocated
  const heap = { before: samples.heap(key), after: samples.heap(id) }
  if (heap.before.length > 0 && heap.after.length > 0)
    figures.heap = { before: median(heap.before), after: median(heap.after) }
  return figures
}

function isComplete(pair: { before: number | undefined; after: number | undefined }): pair is {
  before: number
  after: number
} {
  return pair.before !== undefined && pair.after !== undefined
}

/** Heap that one case keeps for an idle connection. */
export interface HeapFigures {
  id: string
  /** Bytes per connection: the median over rounds. */
  bytes: number
  /** Bytes over the baseline's. */
  added: number
}

/** The heap of one case, or `undefined` as long as its baseline's or its own is not known. */
export function heapFigures(id: string, samples: Samples): HeapFigures | undefined {
  const own = samples.heap(id)
  const bare = samples.heap(caseOf(id).baseline)
  const pairs = own.flatMap((bytes, round) => (bare[round] === undefined ? [] : [bytes - bare[round]]))
  return pairs.length === 0 ? undefined : { id, bytes: median(own), added: median(pairs) }
}

/** `compute` applied to the CPU of two subjects in one turn, for each turn of each round. */
function paired(
  own: readonly (readonly Slice[])[],
  other: readonly (readonly Slice[])[],
  compute: (own: number, other: number) => number,
): number[][] {
  return own.map((slices, round) => slices.map(({ cpu }, turn) => compute(cpu, other[round]![turn]!.cpu)))
}
