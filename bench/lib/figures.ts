import { type Case, caseOf } from './cases.ts'
import type { EchoSample } from './measure.ts'
import { median, medianOfRounds, spread } from './statistics.ts'

/** What the rounds of one case come to. */
export interface EchoFigures {
  id: string
  /** Server CPU per message of each round, in µs. */
  rounds: number[]
  /** Their median, in µs. */
  cpu: number
  /** Half their range, relative to the median. */
  spread: number
  /** CPU over the baseline's, in µs. */
  added: number
  /** CPU to the baseline's. */
  ratio: number
  /** Added CPU to that of the direct SDK calls. */
  ofLimit?: number
  /** Spans that each message exported, over all rounds. */
  spans: number
}

/** The figures of one case. Each is computed within a round first, so that a machine that drifts over time cancels out. */
export function echoFigures(id: string, samples: ReadonlyMap<string, readonly EchoSample[]>): EchoFigures {
  const { baseline, limit } = caseOf(id)
  const roundsOf = (which: string) => samples.get(which)!.map((sample) => sample.cpu)
  const own = roundsOf(id)
  const bare = roundsOf(baseline)
  const figures: EchoFigures = {
    id,
    rounds: own,
    cpu: median(own),
    spread: spread(own),
    added: medianOfRounds([own, bare], (cpu, base) => cpu - base),
    ratio: medianOfRounds([own, bare], (cpu, base) => cpu / base),
    spans: median(samples.get(id)!.map((sample) => sample.spans)),
  }
  if (limit === undefined) return figures
  const ofLimit = medianOfRounds([own, bare, roundsOf(limit)], (cpu, base, sdk) => (cpu - base) / (sdk - base))
  return { ...figures, ofLimit }
}

/** What one case keeps on the heap for an idle connection. */
export interface HeapFigures {
  id: string
  /** Bytes per connection of each round. */
  rounds: number[]
  /** Their median. */
  bytes: number
  /** Bytes over the baseline's. */
  added: number
}

export function heapFigures(id: string, samples: ReadonlyMap<string, readonly number[]>): HeapFigures {
  const own = samples.get(id)!
  const bare = samples.get(caseOf(id).baseline)!
  return { id, rounds: [...own], bytes: median(own), added: medianOfRounds([own, bare], (a, b) => a - b) }
}

/** The cases that these ids need: themselves, their baselines and their limits. */
export function withReferences(cases: readonly Case[], ids: readonly string[]): Case[] {
  const needed = new Set(ids.flatMap((id) => [id, caseOf(id).baseline, caseOf(id).limit ?? id]))
  return cases.filter(({ id }) => needed.has(id))
}
