import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { cruise, type ICruiseResult } from 'dependency-cruiser'
import { rules } from './rules.ts'

/** An import that a rule forbids. */
export interface Violation {
  readonly rule: string
  readonly from: string
  readonly to: string
}

const FOLDERS = ['packages', 'apps', 'bench', 'scripts']

/** Finds the imports below a root folder that break the rules. Throws when it finds no file at all. */
export async function findViolations(root: string): Promise<Violation[]> {
  const { output } = await cruise(
    FOLDERS.filter((folder) => existsSync(join(root, folder))),
    {
      baseDir: root,
      ruleSet: rules,
      validate: true,
      tsPreCompilationDeps: true,
      combinedDependencies: true,
      doNotFollow: { path: ['(^|/)node_modules/'] },
      exclude: { path: ['/dist/', '/\\.types/', '^scripts/packages/consumers/'] },
    },
    {
      exportsFields: ['exports'],
      conditionNames: ['import', 'require', 'node', 'default', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.d.ts'],
    },
  )
  const { summary } = output as ICruiseResult
  if (summary.totalCruised === 0) throw new Error(`no source file below ${root}`)
  return summary.violations.map(({ rule, from, to }) => ({ rule: rule.name, from, to }))
}
