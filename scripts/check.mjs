// Runs every check that is no test, or those that are named: `pnpm check [name …]`. Ends with 1 when one fails.
// Each check is a task of turbo: what has not changed since it passed is not checked again.
import { spawn } from 'node:child_process'

const CHECKS = ['lint', 'boundaries', 'unused', 'documents', 'types', 'build', 'api', 'packages']

const names = process.argv.slice(2)
const unknown = names.filter((name) => !CHECKS.includes(name))
if (unknown.length > 0) {
  process.stderr.write(`no check ${unknown.join(', ')}: there are ${CHECKS.join(', ')}\n`)
  process.exit(2)
}

const options = ['--continue', '--output-logs=errors-only', '--concurrency=2']
const turbo = spawn('turbo', ['run', ...options, ...(names.length > 0 ? names : CHECKS)], {
  stdio: ['ignore', 'pipe', 'inherit'],
  env: { ...process.env, TURBO_TELEMETRY_DISABLED: '1' },
})
let output = ''
turbo.stdout.on('data', (chunk) => {
  output += chunk
  process.stdout.write(chunk)
})
turbo.on('close', (code) => {
  const [, successful = 0, total = 0] = /Tasks: +(\d+) successful, (\d+) total/.exec(output) ?? []
  // Tasks that were not begun, because one before them failed, have not passed either.
  const failed = Math.max(total - successful, code === 0 ? 0 : 1)
  process.stdout.write(`${successful} checks passed, ${failed} failed\n`)
  process.exitCode = code ?? 1
})
