import { randomUUID } from 'node:crypto'
import { type DemoOption, type DemoSettings, type RunningDemo, runDemo } from '@otel-ws/demo-kit'
import { type RedisService, type Service, startPostgres, startRedis } from '@otel-ws/services'
import { ADAPTERS, type AdapterName, preparePostgres } from './adapters.ts'
import { startNodes } from './nodes.ts'
import { breakRedis } from './outage.ts'
import { startUsers } from './users.ts'

const OPTIONS: readonly DemoOption[] = [
  { name: 'adapter', choices: ADAPTERS, help: 'how the nodes are connected' },
  { name: 'redis-outage', help: 'kill Redis during the demo and restart it; with --adapter redis' },
]

/** Runs the Socket.IO chat demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  const description = 'a chat on three Socket.IO nodes: each broadcast is one trace across all nodes'
  return runDemo({ name: 'socketio-chat', description, options: OPTIONS, start }, argv)
}

async function start(settings: DemoSettings): Promise<RunningDemo> {
  const name = settings.own.adapter as AdapterName
  const breaks = settings.own['redis-outage'] === true
  if (breaks && name !== 'redis') throw new Error('--redis-outage needs --adapter redis')
  const service = await startService(name)
  try {
    if (breaks && !(service as RedisService).mayFail)
      throw new Error('--redis-outage cannot stop the Redis of REDIS_URL')
    const adapter = { name, url: service?.url ?? '', prefix: `otel-ws-demo-${randomUUID()}` }
    const nodes = await startNodes(adapter, settings)
    const users = startUsers(nodes.urls, settings.users)
    const stop = new AbortController()
    const outage = breaks ? breakRedis(service as RedisService, settings, stop.signal) : undefined
    return {
      url: nodes.urls.join('  '),
      async stopUsers() {
        stop.abort()
        await outage
        await users.stop()
      },
      async close() {
        await nodes.stop()
        await service?.stop()
      },
    }
  } catch (error) {
    await service?.stop()
    throw error
  }
}

async function startService(name: AdapterName): Promise<Service | undefined> {
  if (name === 'cluster') return undefined
  if (name === 'redis') return startRedis()
  const postgres = await startPostgres()
  await preparePostgres(postgres.url)
  return postgres
}
