import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildServers, profileDir } from './lib/build.ts'
import { caseOf } from './lib/cases.ts'
import { profileEcho, profileHeap } from './lib/measure.ts'
import { chooseNodes } from './lib/nodes.ts'
import { startLoad } from './lib/processes.ts'
import { byPackage, cpuShares, heapShares, type Share } from './lib/profile.ts'
import { table } from './lib/table.ts'

const HELP = `node --import tsx bench/profile.ts <variant> [options]

Prints where one server under echo load spends its time, or what allocated the heap that its idle connections hold,
and writes the profile for a closer look in the browser's developer tools.

  --heap              profile heap instead of CPU
  --node <version>    Node.js to run the server with (the one that runs this)
  --messages <n>      echoed messages of a CPU profile (200000)
  --idle <n>          idle connections of a heap profile (2000)
  --top <n>           functions to print (30)
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    heap: { type: 'boolean', default: false },
    node: { type: 'string' },
    messages: { type: 'string', default: '200000' },
    idle: { type: 'string', default: '2000' },
    top: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})

function shareTables(shares: readonly Share[], per: number, unit: string, digits: number): string {
  const total = shares.reduce((sum, { amount }) => sum + amount, 0)
  const rows = (some: readonly Share[]) =>
    some.map(({ name, place, amount }) => [
      place === '' ? name : `${name} · ${place}`,
      (amount / per).toFixed(digits),
      `${((amount / total) * 100).toFixed(1)} %`,
    ])
  return [
    `${(total / per).toFixed(digits)} ${unit} in all`,
    table(['by package', unit, 'share'], rows(byPackage(shares))),
    table(['by function', unit, 'share'], rows(shares.slice(0, Number(values.top)))),
  ].join('\n\n')
}

async function main(): Promise<void> {
  const [id] = positionals
  if (values.help || id === undefined) return console.log(HELP)
  caseOf(id)
  const [node] = chooseNodes(values.node).nodes
  const { version, executable } = node!
  const file = join(profileDir, `${id}-${version}.${values.heap ? 'heapprofile' : 'cpuprofile'}`)
  const messages = Number(values.messages)
  const idle = Number(values.idle)

  await mkdir(profileDir, { recursive: true })
  await buildServers([id])
  const load = startLoad()
  try {
    if (values.heap) await profileHeap(executable, id, load, idle, file)
    else await profileEcho(executable, id, load, { connections: 4, window: 16, warmup: 50_000, messages }, file)
  } finally {
    await load.stop()
  }

  console.log(`${id} on Node ${version}`)
  console.log(
    values.heap
      ? shareTables(await heapShares(file), idle, 'B/connection', 0)
      : shareTables(await cpuShares(file), messages, 'µs/message', 3),
  )
  console.log(`\n${file}`)
}

await main()
