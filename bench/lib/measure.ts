import type { LoadCommands, ServerCommands, SpanShape } from './commands.ts'
import { startServer } from './processes.ts'
import type { Remote } from './remote.ts'

const PATH = '/echo'
const CONNECTIONS_BEFORE_HEAP = 200

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

async function withServer<T>(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  run: (server: Remote<ServerCommands>, port: number) => Promise<T>,
): Promise<T> {
  const server = startServer(node, id)
  try {
    return await run(server, await server.ask('port'))
  } finally {
    await load.ask('disconnect')
    await server.stop()
  }
}

/** Runs `work` in a fresh, warmed-up server with open connections. */
async function withWarmServer<T>(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  { connections, window, warmup }: Load,
  work: (server: Remote<ServerCommands>) => Promise<T>,
): Promise<T> {
  return withServer(node, id, load, async (server, port) => {
    await load.ask('connect', { port, path: PATH, count: connections })
    // Start-up garbage goes in between, so that code which a collection ages is warm again when the counted run starts.
    await load.ask('echo', { messages: Math.ceil(warmup / 2), window })
    await server.ask('heap')
    await load.ask('echo', { messages: Math.ceil(warmup / 2), window })
    return work(server)
  })
}

/** Measures one counted run in a fresh server process. */
export function measureEcho(node: string, id: string, load: Remote<LoadCommands>, how: Load): Promise<EchoSample> {
  return withWarmServer(node, id, load, how, async (server) => {
    const before = await server.ask('mark')
    await load.ask('echo', { messages: how.messages, window: how.window })
    const after = await server.ask('mark')
    return {
      cpu: (after.cpu - before.cpu) / how.messages,
      spans: (after.exported - before.exported) / how.messages,
    }
  })
}

/** Profiles one counted run in a fresh server process and writes it to `file`. */
export function profileEcho(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  how: Load,
  file: string,
): Promise<void> {
  return withWarmServer(node, id, load, how, async (server) => {
    await server.ask('startProfile')
    await load.ask('echo', { messages: how.messages, window: how.window })
    await server.ask('stopProfile', file)
  })
}

/** Heap per idle connection, in bytes: `connections` more on a server that has served some already. */
export function measureHeap(
  node: string,
  id: string,
  load: Remote<LoadCommands>,
  connections: number,
): Promise<number> {
  return withServer(node, id, load, async (server, port) => {
    await load.ask('connect', { port, path: PATH, count: CONNECTIONS_BEFORE_HEAP })
    const before = await server.ask('heap')
    await load.ask('connect', { port, path: PATH, count: connections })
    const after = await server.ask('heap')
    return (after - before) / connections
  })
}

/** The shapes of the spans of one echoed message, ordered by name. */
export function spanShapes(node: string, id: string, load: Remote<LoadCommands>): Promise<SpanShape[]> {
  return withServer(node, id, load, async (server, port) => {
    await server.ask('keepSpans')
    await load.ask('connect', { port, path: PATH, count: 1 })
    await load.ask('echo', { messages: 1, window: 1 })
    const shapes = await server.ask('keptSpans')
    return shapes.sort((a, b) => a.name.localeCompare(b.name))
  })
}
