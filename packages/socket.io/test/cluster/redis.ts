import { startRedis } from '@otel-ws/services'
import { Telemetry } from '@otel-ws/testkit'
import { createAdapter } from '@socket.io/redis-adapter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import type { ServerOptions } from 'socket.io'
import { afterAll, beforeAll } from 'vitest'

type Adapter = NonNullable<ServerOptions['adapter']>

/**
 * Runs a Redis server for the tests of a file and installs the context manager and propagator of OpenTelemetry, but no
 * global tracer provider.
 *
 * @returns the adapters over it, by name; nodes with the same key are one cluster
 */
export function useRedis(): readonly (readonly [name: string, make: (key: string) => Adapter])[] {
  const global = new Telemetry()
  const clients: Redis[] = []
  let redis: Awaited<ReturnType<typeof startRedis>>

  beforeAll(async () => {
    global.install()
    redis = await startRedis()
  }, 60_000)

  afterAll(async () => {
    for (const client of clients) client.disconnect()
    await redis.stop()
    await global.uninstall()
  })

  function client(): Redis {
    const made = new Redis(redis.url)
    made.on('error', () => {})
    clients.push(made)
    return made
  }

  return [
    ['Redis', (key) => createAdapter(client(), client(), { key }) as unknown as Adapter],
    [
      'Redis Streams',
      (key) =>
        createStreamsAdapter(client(), {
          streamName: key,
          channelPrefix: key,
          blockTimeInMs: 200,
        }) as unknown as Adapter,
    ],
  ]
}
