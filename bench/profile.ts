import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { buildServers, profileDir } from './lib/build.ts'
import { caseOf } from './lib/cases.ts'
import { profileAllocation, profileEcho, profileHeap } from './lib/measure.ts'
import { chooseNodes } from './lib/nodes.ts'
import { startLoad } from './lib/processes.ts'
import { byPackage, cpuShares, heapShares, type Share } from './lib/profile.ts'
import { table } from './lib/table.ts'

/** Every one is recorded. */
const ALLOCATION_MESSAGES = 1_000

const HELP = `node --import tsx bench/profile.ts <variant> [options]

Prints where one server under echo load spends its time, what allocated the heap that its idle connections hold, or what
allocates for each message, and writes the profile for a closer look in the browser's developer tools.

  --heap              profile the heap of idle connections instead of CPU
  --allocation        profile what is allocated per message, interpreted, so that nothing is optimized away
  --node <version>    Node.js to run the server with (the one that runs this)
  --messages <n>      echoed messages of a CPU profile (200000)
  --idle <n>          idle connections of a heap profile (2000)
  --top <n>           functions to print (30)
`

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    heap: { type: 'boolean', default: false },
    allocation: { type: 'boolean', default: false },
    node: { type: 'string' },
    messages: { type: 'string', default: '200000' },
    idle: { type: 'string', default: '2000' },
    top: { type: 'string', default: '30' },
    help: { type: 'boolean', default: false },
  },
})

/** Turns shares into tables: amounts per message or connection, and of the whole. */
class Tables {
  readonly #per: number
  readonly #unit: string
  readonly #digits: number
  readonly #total: number

  constructor(self: readonly Share[], per: number, unit: string, digits: number) {
    this.#per = per
    this.#unit = unit
    this.#digits = digits
    this.#total = self.reduce((sum, { amount }) => sum + amount, 0)
  }

  print(title: string, shares: readonly Share[]): void {
    const rows = shares
      .slice(0, Number(values.top))
      .map(({ name, place, amount }) => [
        place === '' ? name : `${name} · ${place}`,
        (amount / this.#per).toFixed(this.#digits),
        `${((amount / this.#total) * 100).toFixed(1)} %`,
      ])
    console.log(`\n${table([title, this.#unit, 'share'], rows)}`)
  }
}

function isOwn({ place }: Share): boolean {
  return place.startsWith('@otel-ws/')
}

async function printCpu(file: string, messages: number): Promise<void> {
  const { self, withCallees } = await cpuShares(file)
  const tables = new Tables(self, messages, 'µs/message', 3)
  tables.print('Package, self time', byPackage(self))
  tables.print('Function, self time', self)
  tables.print('Function of otel-ws, with what it calls', withCallees.filter(isOwn))
}

async function printHeap(file: string, connections: number): Promise<void> {
  const held = await heapShares(file)
  const tables = new Tables(held, connections, 'B/connection', 0)
  tables.print('Package that allocated what is held', byPackage(held))
  tables.print('Function that allocated it', held)
}

async function printAllocation(file: string): Promise<void> {
  const allocated = await heapShares(file)
  const tables = new Tables(allocated, ALLOCATION_MESSAGES, 'B/message', 0)
  tables.print('Package that allocates', byPackage(allocated))
  tables.print('Function that allocates', allocated)
  tables.print('Function of otel-ws that allocates', allocated.filter(isOwn))
}

async function main(): Promise<void> {
  const [id] = positionals
  if (values.help || id === undefined) return console.log(HELP)
  caseOf(id)
  const [node] = chooseNodes(values.node).nodes
  const { version, executable } = node!
  const kind = values.allocation ? 'allocation.heapprofile' : values.heap ? 'heapprofile' : 'cpuprofile'
  const file = join(profileDir, `${id}-${version}.${kind}`)
  const messages = Number(values.messages)
  const idle = Number(values.idle)

  await mkdir(profileDir, { recursive: true })
  await buildServers([id])
  const load = startLoad()
  try {
    if (values.allocation) await profileAllocation(executable, id, load, ALLOCATION_MESSAGES, file)
    else if (values.heap) await profileHeap(executable, id, load, idle, file)
    else
      await profileEcho(
        executable,
        id,
        load,
        { connections: 4, window: 16, warmup: 50_000, messages, slice: messages },
        file,
      )
  } finally {
    await load.stop()
  }

  console.log(`${id} on Node ${version}`)
  if (values.allocation) await printAllocation(file)
  else if (values.heap) await printHeap(file, idle)
  else await printCpu(file, messages)
  console.log(`\n${file}`)
}

await main()
