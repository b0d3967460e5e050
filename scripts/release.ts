// Releases the packages: `pnpm release version`, `pnpm release publish [--dry-run]`, `pnpm release notes`.
// The workflow `release` runs them one after the other.
import { write } from './generated.ts'
import { notes, publish } from './release/publish.ts'
import { applyChangesets } from './release/version.ts'
import { root } from './run.ts'

const print = (line: string): boolean => process.stdout.write(`${line}\n`)

const commands: Readonly<Record<string, () => Promise<unknown>>> = {
  version: async () => {
    print(await applyChangesets(root))
    await write('documents')
  },
  publish: () => publish(false, print),
  'publish --dry-run': () => publish(true, print),
  notes: async () => print(await notes()),
}

const command = commands[process.argv.slice(2).join(' ')]
if (command !== undefined) await command()
else {
  process.stderr.write(`Usage: pnpm release ${Object.keys(commands).join(' | ')}\n`)
  process.exitCode = 2
}
