import { type Case, caseOf } from './cases.ts'
import type { LoadCommands, Mark, ServerCommands, SpanShape } from './commands.ts'
import { startServer } from './processes.ts'
import type { Remote } from './remote.ts'

const CONNECTIONS_BEFORE_HEAP = 200
const SLICE = 10_000
/** Messages to one connection that weigh as much as one to all. */
const MESSAGES_PER_BROADCAST = 500

/** How hard and how long each server is loaded. */
export interface Load {
  connections: number
  /** Unanswered messages on each connection. */
  window: number
  warmup: number
  messages: number
}

/** What one run of one server showed. */
export interface EchoSample {
  /** Server CPU per echoed message, in µs. */
  cpu: number
  /** Spans that the message's echo exported. */
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

  static async start(node: string, id: string, load: Remote<LoadCommands>): Promise<Target> {
    const measured = caseOf(id)
    const server = startServer(node, measured.server ?? id)
    return new Target(measured, server, load, await server.ask('port'))
  }

  connect(count: number): Promise<void> {
    return this.#load.ask('connect', { port: this.#port, protocol: this.#case.protocol ?? 'ws', count })
  }

  /** Messages that make the server as busy as this many that it sends back. */
  share(messages: number): number {
    return this.#case.recipients === undefined ? messages : Math.ceil(messages / MESSAGES_PER_BROADCAST)
  }

  /** Has the server send back this many messages, or tell its share of them to all. */
  echo(messages: number, window: number): Promise<void> {
    const port = this.#port
    if (this.#case.recipients === undefined) return this.#load.ask('echo', { port, messages, window })
    return this.#load.ask('broadcast', { port, messages: this.share(messages) })
  }

  /** Connects, and runs the server warm. */
  async warm({ connections, window, warmup }: Load): Promise<void> {
    await this.connect(this.#case.recipients ?? connections)
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
  ids: readonly string[],
  load: Remote<LoadCommands>,
  work: (...targets: Target[]) => Promise<T>,
): Promise<T> {
  const targets: Target[] = []
  try {
    for (const id of ids) targets.push(await Target.start(node, id, load))
    return await work(...targets)
  } finally {
    for (const target of targets) await target.stop()
  }
}

/** Counts what a server uses while messages are echoed. */
async function countEcho(target: Target, messages: number, window: number): Promise<Mark> {
  const before = await target.server.ask('mark')
  await target.echo(messages, window)
  const after = await target.server.ask('mark')
  return { cpu: after.cpu - before.cpu, exported: after.exported - before.exported }
}

/**
 * Measures one round: fresh processes of all these servers, warmed up, then loaded in turn, slice by slice.
 *
 * Slices are short, so that whatever else slows the machine down for a while slows all of them alike.
 */
export function measureRound(
  node: string,
  ids: readonly string[],
  load: Remote<LoadCommands>,
  how: Load,
): Promise<EchoSample[]> {
  return withServers(node, ids, load, async (...targets) => {
    for (const target of targets) await target.warm(how)
    const samples = targets.map(() => ({ cpu: 0, spans: 0 }))
    for (let sent = 0; sent < how.messages; sent += SLICE) {
      const messages = Math.min(SLICE, how.messages - sent)
      for (const [i, target] of targets.entries()) {
        const used = await countEcho(target, messages, how.window)
        const share = target.share(messages) * (how.messages / messages)
        samples[i]!.cpu += used.cpu / share
        samples[i]!.spans += used.exported / share
      }
    }
    return samples
  })
}

/** Writes a CPU profile of one counted run in a fresh server process to `file`. */
export function profileEcho(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  how: Load,
  file: string,
): Promise<void> {
  return withServers(node, [id], load, async (target) => {
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
  return withServers(node, [id], load, async (target) => {
    await target!.connect(CONNECTIONS_BEFORE_HEAP)
    await target!.server.ask('heap')
    await target!.server.ask('startHeapProfile')
    await target!.connect(connections)
    await target!.server.ask('stopHeapProfile', file)
  })
}

/** Heap per idle connection, in bytes: `connections` more on a server that has served some already. */
export function measureHeap(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  connections: number,
): Promise<number> {
  return withServers(node, [id], load, async (target) => {
    await target!.connect(CONNECTIONS_BEFORE_HEAP)
    const before = await target!.server.ask('heap')
    await target!.connect(connections)
    const after = await target!.server.ask('heap')
    return (after - before) / connections
  })
}

/** The shapes of the spans of one echoed message, ordered by name. */
export function spanShapes(node: string, id: string, load: Remote<LoadCommands>): Promise<SpanShape[]> {
  return withServers(node, [id], load, async (target) => {
    await target!.server.ask('keepSpans')
    await target!.connect(1)
    await target!.echo(1, 1)
    const shapes = await target!.server.ask('keptSpans')
    return shapes.sort((a, b) => a.name.localeCompare(b.name))
  })
}
