// Writes the files that are generated and committed, or those of the named groups: `pnpm generate [documents|api …]`.
import { type GroupName, groups, write } from './generated.ts'
import { mustRun } from './run.ts'

const named = process.argv.slice(2)
const unknown = named.filter((name) => !Object.hasOwn(groups, name))
if (unknown.length > 0)
  throw new Error(`nothing named ${unknown.join(', ')} is generated; known: ${Object.keys(groups).join(', ')}`)
const names = Object.keys(groups).filter((name) => named.length === 0 || named.includes(name)) as GroupName[]

// A file that one group writes is part of what the next one is generated from.
if (names.includes('documents')) await write('documents')
if (names.some((name) => groups[name].needsBuild))
  await mustRun('pnpm', ['build'], { env: { TURBO_TELEMETRY_DISABLED: '1' } })
for (const name of names) if (name !== 'documents') await write(name)
