import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { dirname, join } from 'node:path'
import { createInterface } from 'node:readline'
import { connect } from '@otel-ws/testkit'
import { binary, mustRun, root } from '../run.ts'
import type { CheckName } from '../runtimes/checks.ts'
import { code, table } from './markdown.ts'

/** A runtime that is not Node: how it runs a file, and one that is preloaded. */
interface Runtime {
  readonly name: string
  /** Path of its executable. */
  readonly command: string
  readonly args: readonly string[]
  /** The flag as users write it. */
  readonly preload: string
  /** What a server of `ws` does with `@otel-ws/instrumentation/register` preloaded. */
  readonly withoutCode: 'traced' | RegExp
}

const RUNTIMES: readonly Runtime[] = [
  {
    name: 'Bun',
    command: binary('bun'),
    args: [],
    preload: 'bun --preload',
    withoutCode: /nothing is traced: Bun has its own ws and no module hooks/,
  },
  {
    name: 'Deno',
    // The command of the package is a script that would outlive its being killed: the executable stands beside it.
    command: join(dirname(binary('deno')), 'deno'),
    args: ['run', '-A', '--no-lock'],
    preload: 'deno run --preload',
    withoutCode: 'traced',
  },
]

const CUT = 'a cut by the network counts as one by this side'

/** Checks that are known to fail, by runtime, host and check, with what users see instead. */
const LIMITS: Readonly<Record<string, string>> = {
  'Bun, ws on an http server, closes': CUT,
  'Bun, Fastify, registered before @fastify/websocket, closes': CUT,
  'Bun, Fastify, registered before @fastify/websocket, rejections': 'recorded as abandoned, without a status',
}

type Results = Readonly<Record<string, Readonly<Record<CheckName, string>>>>

/** The section on runtimes, as Markdown: what the checks of `scripts/runtimes` say when they run on each of them. */
export async function runtimesSection(): Promise<string> {
  const rows: string[][] = []
  const withoutCode: string[][] = []
  let columns: string[] = []
  for (const runtime of RUNTIMES) {
    const version = await versionOf(runtime)
    const results = await resultsOf(runtime)
    for (const [host, outcomes] of Object.entries(results)) {
      columns = Object.keys(outcomes)
      rows.push([version, host, ...columns.map((check) => cell(`${runtime.name}, ${host}, ${check}`, outcomes, check))])
    }
    withoutCode.push([code(`${runtime.preload} @otel-ws/instrumentation/register`), await preloaded(runtime)])
  }
  return `## Bun and Deno

The adapters run there too, on the servers of \`node:http\` and, through crossws, on the server of the runtime itself. The
table is what these checks said when they ran on each runtime, which they do in CI.

${table(['runtime', 'host', ...columns], rows)}
${table(['without code', 'a server of `ws`'], withoutCode)}`
}

/** What the table says of one check. Throws for a failure that is no known limit, and for a limit that is gone. */
function cell(key: string, outcomes: Readonly<Record<string, string>>, check: string): string {
  const limit = LIMITS[key]
  const isOk = outcomes[check] === 'ok'
  if (isOk && limit !== undefined) throw new Error(`${key}: works now; remove it from the known limits`)
  if (!isOk && limit === undefined) throw new Error(`${key}: ${outcomes[check]}`)
  return limit ?? 'yes'
}

async function versionOf({ name, command }: Runtime): Promise<string> {
  const output = await mustRun(command, ['--version'])
  return `${name} ${/\d+\.\d+\.\d+/.exec(output)?.[0]}`
}

async function resultsOf({ command, args }: Runtime): Promise<Results> {
  const output = await mustRun(command, [...args, join(root, 'scripts/runtimes/main.ts')])
  return JSON.parse(output.trim().split('\n').at(-1) ?? '') as Results
}

/** Serves an untouched application with the instrumentation preloaded, and says what came of it. */
async function preloaded({ name, command, args, withoutCode }: Runtime): Promise<string> {
  const folder = join(root, 'packages/instrumentation')
  const child = spawn(command, [...args, '--preload', './src/register.ts', 'test/apps/ws.mjs'], {
    cwd: folder,
    env: {
      ...process.env,
      OTEL_TRACES_EXPORTER: 'console',
      OTEL_METRICS_EXPORTER: 'none',
      OTEL_BSP_SCHEDULE_DELAY: '50',
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  let errors = ''
  child.stderr.on('data', (chunk) => {
    errors += chunk
  })
  const ended = once(child, 'close')
  const limit = setTimeout(() => child.kill(), 20_000)
  try {
    const lines = createInterface(child.stdout)
    const names: string[] = []
    let client: Awaited<ReturnType<typeof connect>> | undefined
    for await (const line of lines) {
      if (/^\d+$/.test(line)) {
        client = await connect(`ws://127.0.0.1:${line}/chat`)
        client.send('{"type":"say"}')
        await client.next()
        await client.close(1000)
        if (withoutCode !== 'traced') break
      }
      const [, span] = /^ {2}name: ["'](.*)["'],$/.exec(line) ?? []
      if (span !== undefined) names.push(span)
      if (span === 'close /chat') break
    }
    if (withoutCode === 'traced') {
      if (!names.includes('process /chat')) throw new Error(`${name} traces nothing without code: ${names}\n${errors}`)
      return 'traced, as on Node'
    }
    if (!withoutCode.test(errors)) throw new Error(`${name} does not say why it traces nothing: ${errors}`)
    return `not traced: ${/nothing is traced: (.*)/.exec(errors)?.[1]}`
  } finally {
    clearTimeout(limit)
    child.kill('SIGKILL')
    await ended
  }
}
