// Prints `passed failed` for a JSON report of Vitest: `node .ci/count-tests.mjs <report, without .json>`.
import { readFileSync } from 'node:fs'

const { testResults } = JSON.parse(readFileSync(`${process.argv[2]}.json`, 'utf8'))
let passed = 0
let failed = 0
for (const { status, assertionResults } of testResults) {
  const broken = assertionResults.filter((result) => result.status === 'failed').length
  passed += assertionResults.filter((result) => result.status === 'passed').length
  failed += broken
  // A file that did not load, or whose hooks failed, has no failing test.
  if (status === 'failed' && broken === 0) failed++
}
process.stdout.write(`${passed} ${failed}\n`)
