// Runs one check of the repository: `node --import tsx scripts/checks.ts <name>`. Ends with 1 when it fails.
// `pnpm check` runs all of them, as tasks of turbo, which remembers what it has checked already.
import { findViolations } from './boundaries/check.ts'
import { check } from './generated.ts'
import { checkPackages } from './packages/check.ts'
import { root } from './run.ts'

/** A check throws when it fails; what it resolves to is worth a line. */
const checks: Readonly<Record<string, () => Promise<string | undefined>>> = {
  boundaries: async () => {
    const violations = await findViolations(root)
    if (violations.length === 0) return undefined
    throw new Error(violations.map(({ rule, from, to }) => `${rule}: ${from} → ${to}`).join('\n'))
  },
  documents: async () => {
    await check('documents')
    return check('dashboards')
  },
  api: () => check('api'),
  packages: checkPackages,
}

const [name = ''] = process.argv.slice(2)
try {
  const run = checks[name]
  if (run === undefined) throw new Error(`no check "${name}"; known: ${Object.keys(checks).join(', ')}`)
  const note = await run()
  if (note !== undefined) process.stdout.write(`${note}\n`)
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
