// Runs every check that is no test, or those that are named: `pnpm check [name …]`. Ends with 1 when one fails.
import { findViolations } from './boundaries/check.ts'
import { check } from './generated.ts'
import { checkPackages } from './packages/check.ts'
import { binary, mustRun, root } from './run.ts'

/** A check throws when it fails; what it returns is worth a line. */
type Check = () => Promise<string | undefined>

const TURBO = ['exec', 'turbo', 'run', '--output-logs=errors-only', '--concurrency=2']

const checks: Readonly<Record<string, Check>> = {
  lint: () => quiet('pnpm', ['exec', 'biome', 'check', '.']),
  boundaries: async () => {
    const violations = await findViolations(root)
    if (violations.length === 0) return undefined
    throw new Error(violations.map(({ rule, from, to }) => `${rule}: ${from} → ${to}`).join('\n'))
  },
  unused: () => quiet(process.execPath, [binary('knip')]),
  documents: async () => {
    await check('documents')
    return undefined
  },
  types: () => quiet(process.execPath, ['--import', 'tsx', 'scripts/types.ts']),
  build: () => quiet('pnpm', [...TURBO, 'build']),
  api: async () => {
    await check('api')
    return undefined
  },
  packages: checkPackages,
}

async function quiet(command: string, args: readonly string[]): Promise<undefined> {
  await mustRun(command, args, { env: { TURBO_TELEMETRY_DISABLED: '1' } })
}

async function perform(name: string, run: Check): Promise<boolean> {
  const startedAt = performance.now()
  const seconds = (): string => `${((performance.now() - startedAt) / 1000).toFixed(1)} s`
  try {
    const note = await run()
    process.stdout.write(`ok      ${name} (${seconds()})${note === undefined ? '' : `: ${note}`}\n`)
    return true
  } catch (error) {
    const text = error instanceof Error ? error.message : String(error)
    process.stdout.write(`FAILED  ${name} (${seconds()})\n${text.trim().replaceAll(/^/gm, '        ')}\n`)
    return false
  }
}

const named = process.argv.slice(2)
const unknown = named.filter((name) => !Object.hasOwn(checks, name))
if (unknown.length > 0) {
  process.stderr.write(`no check ${unknown.join(', ')}: there are ${Object.keys(checks).join(', ')}\n`)
  process.exit(2)
}
let passed = 0
let failed = 0

/** Performs checks one after the other, those of them that are asked for. */
async function performAll(names: readonly string[]): Promise<void> {
  for (const name of names) {
    if (named.length > 0 && !named.includes(name)) continue
    if (await perform(name, checks[name] as Check)) passed++
    else failed++
  }
}

// The type check keeps one processor busy for half of the time that all the others take.
await Promise.all([performAll(['types']), performAll(Object.keys(checks).filter((name) => name !== 'types'))])
process.stdout.write(`${passed} checks passed, ${failed} failed\n`)
process.exitCode = failed === 0 ? 0 : 1
