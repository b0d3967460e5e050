import { type Case, caseOf } from './cases.ts'
import type { LoadCommands, ServerCommands, SpanShape } from './commands.ts'
import { startServer } from './processes.ts'
import type { Remote } from './remote.ts'
import { median } from './statistics.ts'
import { type Subject, subjectOf } from './subjects.ts'

const CONNECTIONS_BEFORE_HEAP = 1_000
/** Compiled code comes and goes while connections are opened, and is not what they keep. */
const WITHOUT_COMPILERS = ['--no-opt', '--no-maglev', '--no-sparkplug']
/** Code that is optimized under many messages in flight is optimized again for one. */
const ALLOCATION_WARMUP = [
  { messages: 20_000, window: 16 },
  { messages: 8_000, window: 1 },
]
const ALLOCATION_SLICES = 5
const ALLOCATION_SLICE = 1_000
const WITHOUT_COLLECTION = ['--min-semi-space-size=1024', '--max-semi-space-size=1024']
/** Messages to one connection that weigh as much as one to all. */
const MESSAGES_PER_BROADCAST = 500

/** The load of each server. */
export interface Load {
  connections: number
  /** Unanswered messages on each connection. */
  window: number
  warmup: number
  messages: number
  /** Messages between two readings of the counters. */
  slice: number
}

/** Measurements of one slice of one server's load. */
export interface Slice {
  /** Server CPU per message, in µs. */
  cpu: number
  /** Spans that each message exported. */
  spans: number
}

/** One server process with what it listens on, and the load generator bound to it. */
class Target {
  readonly server: Remote<ServerCommands>
  readonly #load: Remote<LoadCommands>
  readonly #port: number
  readonly #case: Case

  private constructor(measured: Case, server: Remote<ServerCommands>, load: Remote<LoadCommands>, port: number) {
    this.#case = measured
    this.server = server
    this.#load = load
    this.#port = port
  }

  static async start(
    node: string,
    { id, build }: Subject,
    load: Remote<LoadCommands>,
    flags: string[],
  ): Promise<Target> {
    const measured = caseOf(id)
    const server = startServer(node, measured.server ?? id, build, flags)
    return new Target(measured, server, load, await server.ask('port'))
  }

  /** Opens as many connections as the case has recipients, or this many. */
  connectAll(connections: number): Promise<void> {
    return this.connect(this.#case.recipients ?? connections)
  }

  connect(count: number): Promise<void> {
    return this.#load.ask('connect', { port: this.#port, protocol: this.#case.protocol ?? 'ws', count })
  }

  /** Messages that make the server as busy as this many that it sends back. */
  share(messages: number): number {
    return this.#case.recipients === undefined ? messages : Math.ceil(messages / MESSAGES_PER_BROADCAST)
  }

  /** Has the server send back this many messages, or send its share of them to all clients. */
  echo(messages: number, window: number): Promise<void> {
    const port = this.#port
    if (this.#case.recipients === undefined) return this.#load.ask('echo', { port, messages, window })
    return this.#load.ask('broadcast', { port, messages: this.share(messages) })
  }

  /** Connects, and runs the server warm. */
  async warm({ connections, window, warmup }: Load): Promise<void> {
    await this.connectAll(connections)
    // Start-up garbage goes half-way, so that code which a collection ages is warm again when the counted run starts.
    await this.echo(Math.ceil(warmup / 2), window)
    await this.server.ask('heap')
    await this.echo(Math.ceil(warmup / 2), window)
  }

  async stop(): Promise<void> {
    await this.#load.ask('disconnect', { port: this.#port })
    await this.server.stop()
  }
}

/** Starts servers, each a fresh process, runs `work` with them, and stops them whatever happens. */
async function withServers<T>(
  node: string,
  subjects: readonly Subject[],
  load: Remote<LoadCommands>,
  work: (...targets: Target[]) => Promise<T>,
  flags: string[] = [],
): Promise<T> {
  const targets: Target[] = []
  try {
    for (const subject of subjects) targets.push(await Target.start(node, subject, load, flags))
    return await work(...targets)
  } finally {
    for (const target of targets) await target.stop()
  }
}

/** Loads a server with a slice of messages. */
async function measureSlice(target: Target, messages: number, window: number): Promise<Slice> {
  const before = await target.server.ask('mark')
  await target.echo(messages, window)
  const after = await target.server.ask('mark')
  const share = target.share(messages)
  return { cpu: (after.cpu - before.cpu) / share, spans: (after.exported - before.exported) / share }
}

/**
 * Measures one round: fresh processes of all these servers, warmed up, then loaded in turn, slice by slice: A B A B.
 *
 * Slices are short, so that whatever else slows the machine down for a while slows all of them alike. Each turn starts one
 * server later, so that none always follows the same one. `onTurn` gets the slices of one turn, in the order of `subjects`;
 * a turn that `signal` cuts off is left out.
 */
export function measureRound(
  node: string,
  subjects: readonly Subject[],
  load: Remote<LoadCommands>,
  how: Load,
  signal: AbortSignal,
  onTurn: (slices: Slice[]) => void,
): Promise<void> {
  return withServers(node, subjects, load, async (...targets) => {
    for (const target of targets) {
      if (signal.aborted) return
      await target.warm(how)
    }
    const order = targets.map((_, i) => i)
    for (let sent = 0; sent < how.messages; sent += how.slice) {
      const slices: Slice[] = []
      for (const i of order) {
        if (signal.aborted) return
        slices[i] = await measureSlice(targets[i]!, Math.min(how.slice, how.messages - sent), how.window)
      }
      onTurn(slices)
      order.push(order.shift()!)
    }
  })
}

/**
 * Measures the bytes that a server allocates on its heap per message: with one connection and one message in flight, so that
 * each message is one read and one write, after the compilers have finished, in a heap that is large enough to need no
 * collection. Resolves to the median over slices. Throws when something was collected.
 */
export function measureAllocation(node: string, subject: Subject, load: Remote<LoadCommands>): Promise<number> {
  const work = async (target: Target): Promise<number> => {
    await target.connectAll(1)
    for (const { messages, window } of ALLOCATION_WARMUP) await target.echo(messages, window)
    const slices: number[] = []
    for (let i = 0; i < ALLOCATION_SLICES; i++) {
      const before = await target.server.ask('allocated')
      await target.echo(ALLOCATION_SLICE, 1)
      const after = await target.server.ask('allocated')
      if (after.collections !== before.collections)
        throw new Error(`${subject.key}: garbage was collected, so bytes cannot be counted`)
      slices.push((after.bytes - before.bytes) / target.share(ALLOCATION_SLICE))
    }
    return median(slices)
  }
  return withServers(node, [subject], load, work, WITHOUT_COLLECTION)
}

/** Writes a CPU profile of one counted run in a fresh server process to `file`. */
export function profileEcho(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  how: Load,
  file: string,
): Promise<void> {
  return withServers(node, [subjectOf(id)], load, async (target) => {
    await target!.warm(how)
    await target!.server.ask('startCpuProfile')
    await target!.echo(how.messages, how.window)
    await target!.server.ask('stopCpuProfile', file)
  })
}

/** Writes a heap profile of what `connections` idle connections keep to `file`. */
export function profileHeap(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  connections: number,
  file: string,
): Promise<void> {
  return withServers(node, [subjectOf(id)], load, async (target) => {
    await target!.connect(CONNECTIONS_BEFORE_HEAP)
    await target!.server.ask('heap')
    await target!.server.ask('startHeapProfile', 'reachable')
    await target!.connect(connections)
    await target!.server.ask('stopHeapProfile', file)
  })
}

/** Messages of a profile that are not counted: they make what a connection and a server keep. */
const UNCOUNTED = 500
/** Interpreters allocate what the source says, each object in the function that makes it, on every Node.js. */
const INTERPRETED = ['--no-opt', '--no-maglev', '--no-sparkplug', '--sampling-heap-profiler-suppress-randomness']

/** Writes a heap profile of everything that a server allocates for `messages` messages, one after the other, to `file`. */
export function profileAllocation(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  messages: number,
  file: string,
): Promise<void> {
  const work = async (target: Target): Promise<void> => {
    await target.connectAll(1)
    await target.echo(UNCOUNTED, 1)
    await target.server.ask('startHeapProfile', 'all')
    await target.echo(messages, 1)
    await target.server.ask('stopHeapProfile', file)
  }
  return withServers(node, [subjectOf(id)], load, work, INTERPRETED)
}

/**
 * The places in this repository's packages that make a literal or a closure with every message, and how often they did for
 * `messages` messages, one after the other.
 */
export function objectsMade(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  messages: number,
): Promise<Record<string, number>> {
  return withServers(node, [subjectOf(id, 'counting')], load, async (target) => {
    await target!.connectAll(1)
    await target!.echo(UNCOUNTED, 1)
    const before = await target!.server.ask('madeObjects')
    await target!.echo(messages, 1)
    const after = await target!.server.ask('madeObjects')
    const made = Object.entries(after).map(([place, count]): [string, number] => [place, count - (before[place] ?? 0)])
    return Object.fromEntries(made.filter(([, count]) => count >= messages))
  })
}

/** Heap per idle connection, in bytes: `connections` more on a server that has served some already, without compilers. */
export function measureHeap(
  node: string,
  subject: Subject,
  load: Remote<LoadCommands>,
  connections: number,
): Promise<number> {
  const work = async (target: Target): Promise<number> => {
    await target.connect(CONNECTIONS_BEFORE_HEAP)
    const before = await target.server.ask('heap')
    await target.connect(connections)
    const after = await target.server.ask('heap')
    return (after - before) / connections
  }
  return withServers(node, [subject], load, work, WITHOUT_COMPILERS)
}

/** The shapes of the spans of one echoed message, ordered by name. */
export function spanShapes(node: string, id: string, load: Remote<LoadCommands>): Promise<SpanShape[]> {
  return withServers(node, [subjectOf(id)], load, async (target) => {
    await target!.server.ask('keepSpans')
    await target!.connect(1)
    await target!.echo(1, 1)
    const shapes = await target!.server.ask('keptSpans')
    return shapes.sort((a, b) => a.name.localeCompare(b.name))
  })
}
