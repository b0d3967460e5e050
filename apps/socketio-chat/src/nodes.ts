import cluster, { type Worker } from 'node:cluster'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import type { DemoSettings } from '@otel-ws/demo-kit'
import { setupPrimary } from '@socket.io/cluster-adapter'
import type { AdapterConfig } from './adapters.ts'
import { type NodeConfig, STOP, type Warning } from './node-messages.ts'

/** Number of nodes. */
const NODES = 3

/** Nodes that have been started. */
export interface Nodes {
  readonly urls: readonly string[]
  stop(): Promise<void>
}

/** Starts the nodes, each a process of its own: the first on the port that is asked for, the others on any. */
export async function startNodes(adapter: AdapterConfig, settings: DemoSettings): Promise<Nodes> {
  cluster.setupPrimary({
    exec: fileURLToPath(new URL('node.ts', import.meta.url)),
    execArgv: ['--import', import.meta.resolve('tsx')],
  })
  if (adapter.name === 'cluster') setupPrimary()

  const workers: Worker[] = []
  async function start(index: number, port: number): Promise<string> {
    const { metricsInterval, endpoints } = settings
    const node = `node-${index + 1}`
    const config: NodeConfig = { node, adapter, port, metricsInterval, endpoints }
    const worker = cluster.fork({ CHAT_NODE: JSON.stringify(config) })
    workers[index] = worker
    worker.on('message', (message: unknown) => {
      settings.remote.receive(node, message)
      const { warning } = (message ?? {}) as { warning?: Warning }
      if (warning !== undefined) log(settings, warning)
    })
    return listening(worker)
  }

  try {
    const [first, ...others] = await Promise.all(
      Array.from({ length: NODES }, (_, index) => start(index, index === 0 ? (settings.port ?? 3_000) : 0)).map(
        (url, index) =>
          url.catch((error: Error) => (isTaken(error, index, settings) ? start(index, 0) : Promise.reject(error))),
      ),
    )
    return { urls: [first as string, ...others], stop: () => stopAll(workers) }
  } catch (error) {
    for (const worker of workers) worker.kill('SIGKILL')
    throw error
  }
}

/** Falls back to any free port if the default port is taken. */
function isTaken(error: Error, index: number, { port }: DemoSettings): boolean {
  return index === 0 && port === undefined && error.message.includes('EADDRINUSE')
}

/** Prints a warning between the traces. */
export function log({ log }: DemoSettings, warning: Warning): void {
  log.write(`${JSON.stringify({ level: 40, time: Date.now(), ...warning })}\n`)
}

function listening(worker: Worker): Promise<string> {
  return new Promise((resolve, reject) => {
    worker.on('message', ({ url, failure }: { url?: string; failure?: string }) => {
      if (url !== undefined) resolve(url)
      else if (failure !== undefined) reject(new Error(failure))
    })
    worker.once('exit', (code) => reject(new Error(`a node ended with ${code}`)))
  })
}

async function stopAll(workers: readonly Worker[]): Promise<void> {
  await Promise.all(
    workers.map(async (worker) => {
      const ended = once(worker, 'exit')
      if (worker.isDead()) return
      worker.send(STOP)
      await ended
    }),
  )
}
