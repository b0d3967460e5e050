import { inspect, isDeepStrictEqual } from 'node:util'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sdkOf, type Variant, variants } from '../shared/variants.ts'
import type { Logs } from './log.ts'

/** Options of an adapter; `undefined` for the bare host. */
export type Options = Readonly<Record<string, unknown>> | undefined

/** A host or client that runs random scripts. */
export interface Subject {
  readonly name: string
  /** The property that `compare` holds for each script, with an SDK of a random variant. */
  property(compare: (run: Run, variant: string) => Promise<void>): fc.IRawProperty<unknown>
}

/** Runs one script with telemetry or without, and returns all that the application saw, as plain values. */
type Run = (telemetry: Options) => Promise<Logs>

/** A subject that runs scripts of one kind. */
export function subject<Script>(
  name: string,
  scripts: fc.Arbitrary<Script>,
  run: (script: Script, telemetry: Options) => Promise<Logs>,
): Subject {
  return {
    name,
    property: (compare) =>
      fc.asyncProperty(scripts, fc.constantFrom(...Object.keys(variants)), (script, variant) =>
        compare((telemetry) => run(script, telemetry), variant),
      ) as fc.IRawProperty<unknown>,
  }
}

/** Milliseconds for the scripts of one subject when all tests run. */
const BUDGET = 800

/** Scripts of one seed: enough for the large ones among them, and few enough for the budget. */
const BATCH = 5

/** Seed of the first scripts when all tests run: the same each time. */
const SEED = 20_261_127

/**
 * Declares a test for each subject: random scripts give the same log with telemetry as without, whatever the SDK. What
 * fails is shrunk to the smallest script that still fails, and printed.
 *
 * `pnpm fuzz` sets the variables: `FUZZ_MINUTES` for all subjects of this file together, and `FUZZ_SEED`.
 */
export function differentialSuite(subjects: readonly Subject[]): void {
  const minutes = Number(process.env['FUZZ_MINUTES'] ?? 0)
  const isLong = minutes > 0
  const budget = isLong ? (minutes * 60_000) / subjects.length : BUDGET
  const seed = Number(process.env['FUZZ_SEED'] ?? (isLong ? Date.now() : SEED))

  describe('random scripts', () => {
    it.each(subjects.map((subject) => [subject.name, subject] as const))(
      'give the same log with telemetry as without: %s',
      async (name, subject) => {
        let runs = 0
        const property = subject.property(async (run, variant) => {
          runs++
          await sameLogs(run, variants[variant] as Variant)
        })
        const startedAt = performance.now()
        for (let batch = 0; performance.now() - startedAt < budget; batch++) {
          await fc.assert(property, { seed: seed + batch, numRuns: BATCH, includeErrorInReport: true })
        }
        expect(runs).toBeGreaterThanOrEqual(BATCH)
        if (isLong) process.stdout.write(`${name}: ${runs} scripts, seeds from ${seed}\n`)
      },
      budget + 600_000,
    )
  })
}

/** Describes the first entry that differs, if there is one. */
function firstDifference(traced: Logs, bare: Logs): string | undefined {
  for (const part of new Set([...Object.keys(bare), ...Object.keys(traced)])) {
    const [expected = [], actual = []] = [bare[part], traced[part]]
    for (let at = 0; at < Math.max(expected.length, actual.length); at++) {
      if (isDeepStrictEqual(actual[at], expected[at])) continue
      const entries = `bare:   ${inspect(expected[at], { depth: 9 })}\ntraced: ${inspect(actual[at], { depth: 9 })}`
      return `the log of ${part} differs in entry ${at}\n${entries}`
    }
  }
  return undefined
}

/** Milliseconds after which a script is taken for one that never ends. */
const PATIENCE = 5000

async function inTime<R>(work: Promise<R>, what: string): Promise<R> {
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} has not ended after ${PATIENCE} ms`)), PATIENCE)
  })
  return Promise.race([work, late]).finally(() => clearTimeout(timer))
}

async function sameLogs(run: Run, { sdk, telemetry }: Variant): Promise<void> {
  const installed = sdkOf(sdk)
  installed?.install()
  try {
    const bare = await inTime(run(undefined), 'the bare script')
    const traced = await inTime(run(telemetry), 'the traced script')
    const difference = firstDifference(traced, bare)
    if (difference !== undefined) throw new Error(difference)
    expect(installed?.openSpans() ?? []).toEqual([])
  } finally {
    await installed?.uninstall()
  }
}
