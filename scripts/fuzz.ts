// Runs random scripts on each host, with telemetry and without, and compares what applications see:
// `pnpm fuzz [--minutes N] [--host NAME] [--seed N]`. Ends with 1 at a difference, which is shrunk and printed.
import { spawn } from 'node:child_process'
import { parseArgs } from 'node:util'
import { binary, root } from './run.ts'

/** The folder of each host's tests. */
const HOSTS: Readonly<Record<string, string>> = {
  ws: 'ws',
  fastify: 'fastify',
  socketio: 'socket.io',
  nestjs: 'nestjs',
  client: 'client',
  'zero-code': 'instrumentation',
}

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    host: { type: 'string', multiple: true, default: Object.keys(HOSTS) },
    seed: { type: 'string' },
  },
})

function fail(problem: string): never {
  process.stderr.write(`${problem}\n`)
  process.exit(2)
}

const minutes = Number(values.minutes)
if (!(minutes > 0)) fail(`--minutes must be a positive number, not ${values.minutes}`)
for (const host of values.host) {
  if (!Object.hasOwn(HOSTS, host)) fail(`no host ${host}: there are ${Object.keys(HOSTS).join(', ')}`)
}

/** Runs the scripts of one host for its share of the time. Resolves to true if there was no difference. */
function fuzz(host: string): Promise<boolean> {
  const file = `packages/${HOSTS[host]}/test/differential.test.ts`
  const args = [binary('vitest'), 'run', file, '--project', 'all', '--disable-console-intercept']
  const env = {
    ...process.env,
    FUZZ_MINUTES: String(minutes / values.host.length),
    ...(values.seed !== undefined && { FUZZ_SEED: values.seed }),
  }
  const child = spawn(process.execPath, args, { cwd: root, env, stdio: 'inherit' })
  return new Promise((resolve) => child.on('close', (code) => resolve(code === 0)))
}

let succeeded = true
for (const host of values.host) succeeded = (await fuzz(host)) && succeeded
process.exitCode = succeeded ? 0 : 1
