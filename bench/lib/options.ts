import { parseArgs } from 'node:util'
import { allCases } from './cases.ts'
import type { Load } from './measure.ts'

/** Options of `pnpm bench`. */
export interface Options {
  readonly rounds: number
  readonly load: Load
  /** Idle connections that heap is measured with; 0 for none. */
  readonly idle: number
  readonly heapRounds: number
  /** Versions of Node.js; without, all at hand. */
  readonly node: string | undefined
  readonly variants: readonly string[]
  /** Another checkout, whose packages are measured beside this one's. */
  readonly packages: string | undefined
  readonly json: string | undefined
}

/** Defaults of a run that answers everything, and of one that answers in two minutes. */
const DEFAULTS = {
  full: { rounds: 7, messages: 50_000, warmup: 50_000, idle: 2_000, heapRounds: 3 },
  quick: { rounds: 5, messages: 20_000, warmup: 20_000, idle: 1_000, heapRounds: 1 },
}

const QUICK_VARIANTS = ['ws-no-sdk', 'ws-unsampled-connection', 'ws-sampled', 'socketio-unsampled', 'socketio-sampled']

const HELP = `pnpm bench [options]

  --quick             a few variants in short rounds, on the Node.js that runs this: two minutes
  --packages <dir>    compare with the packages of another checkout, turn by turn: before and after
  --variants <ids>    only these servers and what they are compared with (all)
  --node <versions>   Node.js versions to run servers with, such as 20,24 (all at hand)
  --rounds <n>        rounds of fresh processes (7)
  --messages <n>      counted messages of each server in a round (50000)
  --warmup <n>        messages before them (50000)
  --slice <n>         messages of a server before it is the next one's turn (2500)
  --connections <n>   connections that carry them (4)
  --window <n>        unanswered messages on each (16)
  --idle <n>          idle connections that heap is measured with; 0 for none (2000)
  --json <file>       write all samples and figures
  --help

Ctrl-C ends a run early and prints what it has so far.

Variants: ${allCases.map(({ id }) => id).join(', ')}
`

/** Reads the command line. `undefined` after help has been printed. Throws for a value that makes no sense. */
export function readOptions(): Options | undefined {
  const { values } = parseArgs({
    options: {
      quick: { type: 'boolean', default: false },
      packages: { type: 'string' },
      variants: { type: 'string' },
      node: { type: 'string' },
      rounds: { type: 'string' },
      messages: { type: 'string' },
      warmup: { type: 'string' },
      slice: { type: 'string' },
      connections: { type: 'string' },
      window: { type: 'string' },
      idle: { type: 'string' },
      json: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    console.log(HELP)
    return undefined
  }
  const count = (name: keyof typeof values & string, fallback: number, least = 1): number => {
    const text = values[name]
    if (text === undefined) return fallback
    const value = Number(text)
    if (Number.isInteger(value) && value >= least) return value
    throw new TypeError(`--${name} must be a whole number from ${least}, not "${text}"`)
  }
  const defaults = values.quick ? DEFAULTS.quick : DEFAULTS.full
  return {
    rounds: count('rounds', defaults.rounds),
    load: {
      connections: count('connections', 4),
      window: count('window', 16),
      warmup: count('warmup', defaults.warmup),
      messages: count('messages', defaults.messages),
      slice: count('slice', 2_500),
    },
    idle: count('idle', defaults.idle, 0),
    heapRounds: defaults.heapRounds,
    node: values.node ?? (values.quick ? process.versions.node : undefined),
    variants: values.variants?.split(',') ?? (values.quick ? QUICK_VARIANTS : allCases.map(({ id }) => id)),
    packages: values.packages,
    json: values.json,
  }
}
