import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'

const ROOT = fileURLToPath(new URL('../..', import.meta.url))

/** Calls of what an SDK has registered, which may throw: spans, tracers, context manager, propagator, `diag`. */
const CALLS = [
  /[sS]pan\??\.(setAttributes?|end|isRecording|spanContext|addLinks?|addEvent|setStatus|updateName|recordException)\(/,
  /[tT]racer\??\.startSpan\(/,
  /\bcontext\.(active|with|bind)\(/,
  /\bpropagation\.(inject|extract)\(/,
  /\bdiag\.(warn|error|info)\(/,
]

/** Where they stand: guarded one by one, and in one place that guards several of them at once. */
const ALLOWED = /^packages\/core\/src\/(api\/|span\/describe\.ts$)/

it('calls of the SDK stand where they are guarded, so that no error of it reaches an application', () => {
  const files = readdirSync(`${ROOT}/packages`)
    // Those are for tests, and do not run in applications.
    .filter((name) => !['testkit', 'services', 'testing'].includes(name))
    .flatMap((name) =>
      readdirSync(`${ROOT}/packages/${name}/src`, { recursive: true }).map((file) => `packages/${name}/src/${file}`),
    )
    .filter((file) => file.endsWith('.ts'))
  expect(files.length).toBeGreaterThan(100)
  const found = files
    .filter((file) => !ALLOWED.test(file))
    .flatMap((file) =>
      readFileSync(`${ROOT}/${file}`, 'utf8')
        .split('\n')
        .map((line, index) => ({ place: `${file}:${index + 1}`, line: line.trim() }))
        .filter(({ line }) => !/^(\*|\/\/|\/\*\*)/.test(line) && CALLS.some((call) => call.test(line))),
    )
  expect(found).toEqual([])
})
