import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildServers, outDir } from './lib/build.ts'
import { caseOf } from './lib/cases.ts'
import { profileEcho } from './lib/measure.ts'
import { findNodes } from './lib/nodes.ts'
import { startLoad } from './lib/processes.ts'
import { byPackage, type SelfTime, selfTimes } from './lib/profile.ts'
import { table } from './lib/table.ts'

const HELP = `node --import tsx bench/profile.ts <variant> [--node 24] [--messages 200000] [--top 30]

Prints where one server under echo load spends its time, and writes the .cpuprofile for a closer look.
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    node: { type: 'string' },
    messages: { type: 'string', default: '200000' },
    top: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})

function rows(times: readonly SelfTime[], total: number, messages: number): string[][] {
  return times.map(({ name, place, time }) => [
    place === '' ? name : `${name} · ${place}`,
    (time / messages).toFixed(3),
    `${((time / total) * 100).toFixed(1)} %`,
  ])
}

async function main(): Promise<void> {
  const [id] = positionals
  if (values.help || id === undefined) return console.log(HELP)
  caseOf(id)
  const { nodes } = findNodes()
  const node = nodes.find(({ version }) => version.startsWith(`${values.node ?? ''}`))
  if (node === undefined) throw new TypeError(`--node ${values.node}: not at hand`)
  const messages = Number(values.messages)
  const file = join(outDir, `${id}-${node.version}.cpuprofile`)

  await buildServers([id])
  const load = startLoad()
  try {
    await profileEcho(node.executable, id, load, { connections: 4, window: 16, warmup: 50_000, messages }, file)
  } finally {
    await load.stop()
  }

  const times = await selfTimes(file)
  const total = times.reduce((sum, { time }) => sum + time, 0)
  console.log(`${id} on Node ${node.version}: ${(total / messages).toFixed(2)} µs per message while profiled\n`)
  console.log(table(['Self time by package', 'µs/message', 'share'], rows(byPackage(times), total, messages)))
  console.log()
  const top = times.slice(0, Number(values.top))
  console.log(table(['Self time by function', 'µs/message', 'share'], rows(top, total, messages)))
  console.log(`\n${file}`)
}

await main()
