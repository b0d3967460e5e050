// Runs the suites that depend on Node's behaviour under other versions of Node: `pnpm test:nodes [version …]`.
import { binary, mustRun, run } from './run.ts'

const VERSIONS = ['22', '24', '26']

/** The suites of every adapter, and those that depend on Node. */
const SUITES = [
  'packages/core/test/',
  'packages/ws/test/conformance',
  'packages/fastify/test/conformance',
  'packages/crossws/test/conformance',
  'packages/hono/test/conformance',
  'packages/socket.io/test/conformance',
  'packages/socket.io/test/cluster/publishing',
  'packages/client/test/telemetry',
  'packages/client/test/propagation',
  'packages/client/test/transparency',
  'packages/nestjs/test/conformance',
  'packages/nestjs/test/module',
  'packages/instrumentation/test/alongside',
  'packages/instrumentation/test/applications',
  'packages/instrumentation/test/sdk-next',
  'packages/instrumentation/test/third-parties',
]

/** Runs the suites under one version and prints the result. Resolves to true if all tests passed. */
async function perform(version: string): Promise<boolean> {
  const startedAt = performance.now()
  const command = ['-y', '-p', `node@${version}`, 'node']
  const actual = (await mustRun('npx', [...command, '--print', 'process.version'])).trim().split('\n').at(-1)
  // The other versions run meanwhile.
  const { code, output } = await run('npx', [...command, binary('vitest'), 'run', '--maxWorkers=1', ...SUITES], {
    env: { NO_COLOR: '1' },
  })
  const [tests = ''] = /^ +Tests .*$/m.exec(output) ?? []
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1)
  process.stdout.write(`${code === 0 ? 'ok      ' : 'FAILED  '}Node ${actual} (${seconds} s): ${tests.trim()}\n`)
  if (code !== 0) process.stdout.write(output)
  return code === 0
}

const named = process.argv.slice(2)
const succeeded = await Promise.all((named.length > 0 ? named : VERSIONS).map(perform))
process.exitCode = succeeded.every(Boolean) ? 0 : 1
