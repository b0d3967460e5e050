import { expect, it } from 'vitest'
import { describeCoverage, type FileCoverage } from '../reports/coverage.ts'

const at = (from: number, to = from) => ({ start: { line: from }, end: { line: to } })

it('is printed by package, with the lines of each file that did not run', () => {
  const files: FileCoverage[] = [
    {
      path: 'packages/ws/src/a.ts',
      statementMap: { 0: at(1), 1: at(2, 4), 2: at(5), 3: at(9) },
      s: { 0: 3, 1: 0, 2: 0, 3: 0 },
      f: { 0: 1 },
      b: { 0: [1, 0] },
    },
    { path: 'packages/core/src/b.ts', statementMap: { 0: at(1) }, s: { 0: 1 }, f: { 0: 0 }, b: {} },
  ]
  expect(describeCoverage(files)).toEqual([
    'core  100.0 % statements    0.0 % functions  100.0 % branches',
    'ws     25.0 % statements  100.0 % functions   50.0 % branches',
    'all    40.0 % statements   50.0 % functions   50.0 % branches',
    '',
    'packages/ws/src/a.ts: 2-5, 9',
  ])
})
