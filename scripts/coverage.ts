// Prints what the last `pnpm test --coverage` covered: `pnpm coverage`. By package, then the lines of each file that did not
// run. Processes that tests start are not counted: applications that are traced without code, and the viewer's command.
import { readFile } from 'node:fs/promises'
import { join, relative } from 'node:path'
import { describeCoverage, type FileCoverage } from './reports/coverage.ts'
import { root } from './run.ts'

const report = await readFile(join(root, 'coverage', 'coverage-final.json'), 'utf8')
const files = Object.values(JSON.parse(report) as Record<string, FileCoverage>)
const named = files.map((file) => ({ ...file, path: relative(root, file.path).replaceAll('\\', '/') }))
process.stdout.write(`${describeCoverage(named).join('\n')}\n`)
