import { writeFile } from 'node:fs/promises'
import { cpus } from 'node:os'
import { buildServers, buildServersBefore } from './lib/build.ts'
import { allCases, type Case, caseOf, heapCases, hosts } from './lib/cases.ts'
import type { LoadCommands } from './lib/commands.ts'
import { comparisonFigures, type EchoFigures, echoFigures, heapFigures } from './lib/figures.ts'
import { measureAllocation, measureHeap, measureRound, spanShapes } from './lib/measure.ts'
import { chooseNodes, type Node } from './lib/nodes.ts'
import { type Options, readOptions } from './lib/options.ts'
import { pinning, startLoad } from './lib/processes.ts'
import { Progress } from './lib/progress.ts'
import type { Remote } from './lib/remote.ts'
import { comparisonTable, heapTable, messageTable, spanComplaints } from './lib/report.ts'
import { Samples } from './lib/samples.ts'
import { subjectsOf, withReferences } from './lib/subjects.ts'

/** One run: what is measured, on which Node.js, and what it has so far. */
class Run {
  readonly #options: Options
  readonly #load: Remote<LoadCommands>
  readonly #signal: AbortSignal
  readonly #cases: readonly Case[]
  readonly #idleCases: readonly Case[]
  readonly #samples: ReadonlyMap<Node, Samples>
  readonly #progress: Progress

  constructor(
    options: Options,
    cases: readonly Case[],
    nodes: readonly Node[],
    load: Remote<LoadCommands>,
    signal: AbortSignal,
  ) {
    this.#options = options
    this.#cases = cases
    this.#idleCases = options.idle > 0 ? withReferences(heapCases, options.variants.filter(hasHeap)) : []
    this.#load = load
    this.#signal = signal
    this.#samples = new Map(nodes.map((node) => [node, new Samples()]))
    const perNode =
      this.#subjects(cases).length +
      options.heapRounds * this.#subjects(this.#idleCases).length +
      options.rounds * this.#hosts().length
    this.#progress = new Progress(nodes.length * perNode)
  }

  #subjects(cases: readonly Case[]) {
    return subjectsOf(cases, this.#options.packages !== undefined)
  }

  /** The hosts that have a case in this run, and their cases. */
  #hosts(): [string, Case[]][] {
    return Object.entries(hosts)
      .map(([host, all]): [string, Case[]] => [host, this.#cases.filter((candidate) => all.includes(candidate))])
      .filter(([, cases]) => cases.length > 0)
  }

  /** Measures everything, the quick and exact figures first. Ends early when the signal is aborted. */
  async measure(): Promise<void> {
    await this.#measureAllocation()
    await this.#measureHeap()
    await this.#measureEcho()
  }

  async #measureAllocation(): Promise<void> {
    for (const [node, samples] of this.#samples) {
      for (const subject of this.#subjects(this.#cases)) {
        if (this.#signal.aborted) return
        const bytes = await measureAllocation(node.executable, subject, this.#load)
        samples.setAllocated(subject, bytes)
        this.#progress.done(`allocation, Node ${node.version}, ${subject.key}`, `${bytes.toFixed(1)} B/message`)
      }
    }
  }

  async #measureHeap(): Promise<void> {
    for (let round = 1; round <= this.#options.heapRounds; round++) {
      for (const [node, samples] of this.#samples) {
        for (const subject of this.#subjects(this.#idleCases)) {
          if (this.#signal.aborted) return
          const bytes = await measureHeap(node.executable, subject, this.#load, this.#options.idle)
          samples.addHeap(subject, bytes)
          this.#progress.done(`heap ${round}, Node ${node.version}, ${subject.key}`, `${bytes.toFixed(0)} B/connection`)
        }
      }
    }
  }

  async #measureEcho(): Promise<void> {
    for (let round = 1; round <= this.#options.rounds; round++) {
      for (const [node, samples] of this.#samples) {
        for (const [host, cases] of this.#hosts()) {
          if (this.#signal.aborted) return
          const subjects = this.#subjects(cases)
          samples.startRound(subjects)
          await measureRound(node.executable, subjects, this.#load, this.#options.load, this.#signal, (slices) =>
            samples.addTurn(subjects, slices),
          )
          this.#progress.done(`round ${round}, Node ${node.version}, ${host}`, this.#soFar(cases, samples))
        }
      }
    }
  }

  /** The ratios after the rounds so far, to before if there is a before, else to bare. */
  #soFar(cases: readonly Case[], samples: Samples): string {
    const compares = this.#options.packages !== undefined
    const shown = cases.filter(({ id, baseline, runsPackages }) => (compares ? runsPackages : id !== baseline))
    const ratios = shown.map(({ id }) => {
      const figures = compares ? comparisonFigures(id, samples) : echoFigures(id, samples)
      return `${id} ${figures?.ratio?.mean.toFixed(compares ? 3 : 2) ?? '–'}`
    })
    return `${compares ? 'to before' : 'to bare'}: ${ratios.join(', ')}`
  }

  /** Compares the spans of each traced server with those of its limit, so that like is compared with like. */
  async shapeComplaints(node: Node): Promise<string[]> {
    const complaints: string[] = []
    for (const { id, limit } of this.#cases) {
      if (limit === undefined || this.#signal.aborted) continue
      const own = JSON.stringify(await spanShapes(node.executable, id, this.#load))
      const reference = JSON.stringify(await spanShapes(node.executable, limit, this.#load))
      if (own !== reference) complaints.push(`! ${id} makes other spans than ${limit}:\n    ${own}\n    ${reference}`)
    }
    return complaints
  }

  /** Prints what has been measured. */
  print(): void {
    for (const [{ version }, samples] of this.#samples) {
      for (const [host, cases] of this.#hosts()) {
        const ids = cases.map(({ id }) => id)
        const title = `Node ${version}, ${host}`
        console.log(`\n${messageTable(title, ids, this.#echo(cases, samples), samples)}`)
      }
      const heap = this.#idleCases.map(({ id }) => heapFigures(id, samples)).filter((figures) => figures !== undefined)
      if (heap.length > 0)
        console.log(`\n${heapTable(`Node ${version}, ${this.#options.idle} idle connections`, heap)}`)
      if (this.#options.packages !== undefined) {
        const compared = this.#cases.filter(({ runsPackages }) => runsPackages)
        const figures = compared.map(({ id }) => comparisonFigures(id, samples))
        console.log(`\n${comparisonTable(`Node ${version}, before → after`, figures)}`)
      }
      for (const complaint of spanComplaints(this.#echo(this.#cases, samples))) console.log(complaint)
    }
  }

  #echo(cases: readonly Case[], samples: Samples): EchoFigures[] {
    return cases.map(({ id }) => echoFigures(id, samples)).filter((figures) => figures !== undefined)
  }

  /** All samples and figures. */
  results(): object[] {
    return [...this.#samples].map(([{ version }, samples]) => ({
      node: version,
      echo: this.#echo(this.#cases, samples),
      heap: this.#idleCases.map(({ id }) => heapFigures(id, samples)),
      ...(this.#options.packages !== undefined && {
        comparison: this.#cases.filter((one) => one.runsPackages).map(({ id }) => comparisonFigures(id, samples)),
      }),
      samples: this.#subjects(this.#cases).map(({ key }) => ({
        subject: key,
        allocated: samples.allocated(key),
        heap: samples.heap(key),
        rounds: samples.slices(key).map((slices) => slices.map(({ cpu }) => cpu)),
      })),
    }))
  }
}

function hasHeap(id: string): boolean {
  return heapCases.includes(caseOf(id))
}

/** Aborts at the first Ctrl-C; the second one ends the process. */
function abortedByCtrlC(): AbortSignal {
  const controller = new AbortController()
  process.on('SIGINT', () => {
    if (controller.signal.aborted) process.exit(130)
    process.stderr.write('Cut off: stopping the servers.\n')
    controller.abort()
  })
  return controller.signal
}

async function main(): Promise<void> {
  const options = readOptions()
  if (options === undefined) return
  const { nodes, missing } = chooseNodes(options.node)
  for (const alias of missing) console.log(`Skipped: the optional dependency ${alias} is not installed here.`)
  const cases = withReferences(allCases, options.variants)
  const servers = (some: readonly Case[]) => [...new Set(some.map(({ id, server }) => server ?? id))]
  const signal = abortedByCtrlC()

  await buildServers(servers(cases))
  if (options.packages !== undefined)
    await buildServersBefore(servers(cases.filter(({ runsPackages }) => runsPackages)), options.packages)

  const load = startLoad()
  try {
    const machine = `${cpus().length} × ${cpus()[0]?.model ?? 'unknown CPU'}`
    const { messages, slice, warmup, connections, window } = options.load
    console.log(`Server CPU and allocation per message of 128 bytes, ${machine}; ${pinning}.`)
    console.log(
      `${options.rounds} rounds of fresh processes; in each, ${messages} messages of every server after ${warmup} of ` +
        `warm-up, in turns of ${slice}; ${connections} connections with ${window} messages in flight. ` +
        'In brackets: 95 % intervals of figures that are taken turn by turn.',
    )
    const run = new Run(options, cases, nodes, load, signal)
    const shapes = await run.shapeComplaints(nodes[0]!)
    await run.measure()
    run.print()
    for (const complaint of shapes) console.log(complaint)
    if (signal.aborted) console.log('\nCut off: the figures are those of the rounds until then.')
    if (options.json !== undefined) {
      await writeFile(
        options.json,
        `${JSON.stringify({ machine, pinning, options, results: run.results() }, null, 2)}\n`,
      )
    }
  } finally {
    await load.stop()
  }
}

await main()
