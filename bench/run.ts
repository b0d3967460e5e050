import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { parseArgs } from 'node:util'
import { buildServers } from './lib/build.ts'
import { allCases, type Case, caseOf, heapCases, hosts } from './lib/cases.ts'
import type { LoadCommands } from './lib/commands.ts'
import { echoFigures, heapFigures, withReferences } from './lib/figures.ts'
import { type EchoSample, type Load, measureHeap, measureRound, spanShapes } from './lib/measure.ts'
import { chooseNodes, type Node } from './lib/nodes.ts'
import { pinning, startLoad } from './lib/processes.ts'
import type { Remote } from './lib/remote.ts'
import { echoTable, heapTable, spanComplaints } from './lib/report.ts'

const HEAP_ROUNDS = 3

const HELP = `pnpm bench [options]

  --rounds <n>        interleaved rounds (5)
  --messages <n>      counted messages of each run (100000)
  --warmup <n>        messages before them (50000)
  --connections <n>   connections that carry them (4)
  --window <n>        unanswered messages on each (16)
  --node <versions>   Node.js versions to run servers with, such as 20,24 (all at hand)
  --variants <ids>    only these servers and what they are compared with (all)
  --idle <n>          idle connections that heap is measured with; 0 for none (2000)
  --json <file>       write all samples and figures
  --help

Variants: ${allCases.map(({ id }) => id).join(', ')}
`

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    messages: { type: 'string', default: '100000' },
    warmup: { type: 'string', default: '50000' },
    connections: { type: 'string', default: '4' },
    window: { type: 'string', default: '16' },
    node: { type: 'string' },
    variants: { type: 'string' },
    idle: { type: 'string', default: '2000' },
    json: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
})

function count(name: 'rounds' | 'messages' | 'warmup' | 'connections' | 'window' | 'idle', least = 1): number {
  const value = Number(values[name])
  if (Number.isInteger(value) && value >= least) return value
  throw new TypeError(`--${name} must be a whole number from ${least}, not "${values[name]}"`)
}

/** The cases in an order that starts one later each round, so that none always follows the same one. */
function rotated(cases: readonly Case[], round: number): Case[] {
  const start = round % cases.length
  return [...cases.slice(start), ...cases.slice(0, start)]
}

type Samples<T> = Map<Node, Map<string, T[]>>

function noSamples<T>(nodes: readonly Node[], cases: readonly Case[]): Samples<T> {
  return new Map(nodes.map((node) => [node, new Map(cases.map(({ id }) => [id, []]))]))
}

function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`)
}

/** Measures CPU: in each round every Node.js once, and each host's servers beside one another. */
async function echoRounds(
  nodes: readonly Node[],
  cases: readonly Case[],
  rounds: number,
  load: Remote<LoadCommands>,
  how: Load,
): Promise<Samples<EchoSample>> {
  const samples = noSamples<EchoSample>(nodes, cases)
  for (let round = 0; round < rounds; round++) {
    for (const node of nodes) {
      for (const host of Object.values(hosts)) {
        const ids = rotated(
          cases.filter((candidate) => host.includes(candidate)),
          round,
        ).map(({ id }) => id)
        if (ids.length === 0) continue
        progress(`echo, round ${round + 1} of ${rounds}: Node ${node.version}`)
        const measured = await measureRound(node.executable, ids, load, how)
        for (const [i, id] of ids.entries()) samples.get(node)!.get(id)!.push(measured[i]!)
      }
    }
  }
  progress('')
  return samples
}

/** Measures heap, one server after the other, in as many rounds. */
async function heapRounds(
  nodes: readonly Node[],
  cases: readonly Case[],
  rounds: number,
  load: Remote<LoadCommands>,
  idle: number,
): Promise<Samples<number>> {
  const samples = noSamples<number>(nodes, cases)
  for (let round = 0; round < rounds; round++) {
    for (const node of nodes) {
      for (const { id } of cases) {
        progress(`heap, round ${round + 1} of ${rounds}: Node ${node.version}, ${id}`)
        samples
          .get(node)!
          .get(id)!
          .push(await measureHeap(node.executable, id, load, idle))
      }
    }
  }
  progress('')
  return samples
}

/** Compares the spans of each traced server with those of its limit, so that like is compared with like. */
async function shapeComplaints(node: Node, cases: readonly Case[], load: Remote<LoadCommands>): Promise<string[]> {
  const complaints: string[] = []
  for (const { id, limit } of cases) {
    if (limit === undefined) continue
    const own = JSON.stringify(await spanShapes(node.executable, id, load))
    const reference = JSON.stringify(await spanShapes(node.executable, limit, load))
    if (own !== reference) complaints.push(`! ${id} makes other spans than ${limit}:\n    ${own}\n    ${reference}`)
  }
  return complaints
}

async function main(): Promise<void> {
  if (values.help) return console.log(HELP)
  const rounds = count('rounds')
  const idle = count('idle', 0)
  const how: Load = {
    connections: count('connections'),
    window: count('window'),
    warmup: count('warmup'),
    messages: count('messages'),
  }
  const { nodes, missing } = chooseNodes(values.node)
  for (const alias of missing) console.log(`Skipped: the optional dependency ${alias} is not installed here.`)
  const ids = values.variants?.split(',') ?? allCases.map(({ id }) => id)
  const cases = withReferences(allCases, ids)
  const idleCases = idle > 0 ? withReferences(heapCases, ids) : []

  await buildServers([...new Set(cases.map(({ id, server }) => server ?? id))])
  const load = startLoad()
  try {
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`
    console.log(`Server CPU per message of 128 bytes, ${machine}; ${pinning}.`)
    console.log(
      `${rounds} interleaved rounds of ${how.messages} messages after ${how.warmup} of warm-up, ` +
        `each in a fresh process; ${how.connections} connections with ${how.window} messages in flight. Medians.`,
    )

    const shapes = await shapeComplaints(nodes[0]!, cases, load)
    const echo = await echoRounds(nodes, cases, rounds, load, how)
    const heap = await heapRounds(nodes, idleCases, Math.min(rounds, HEAP_ROUNDS), load, idle)

    const results = nodes.map((node) => ({
      node: node.version,
      echo: cases.map(({ id }) => echoFigures(id, echo.get(node)!)),
      heap: idleCases.map(({ id }) => heapFigures(id, heap.get(node)!)),
    }))
    for (const { node, ...figures } of results) {
      for (const [host, all] of Object.entries(hosts)) {
        const own = figures.echo.filter(({ id }) => all.includes(caseOf(id)))
        if (own.length > 0) console.log(`\n${echoTable(`Node ${node}, ${host}`, own)}`)
      }
      if (figures.heap.length > 0) console.log(`\n${heapTable(`Node ${node}, ${idle} idle connections`, figures.heap)}`)
      for (const complaint of spanComplaints(figures.echo)) console.log(complaint)
    }
    for (const complaint of shapes) console.log(complaint)
    if (values.json !== undefined) {
      await writeFile(values.json, `${JSON.stringify({ machine, pinning, rounds, idle, ...how, results }, null, 2)}\n`)
    }
  } finally {
    await load.stop()
  }
}

await main()
