import { randomUUID } from 'node:crypto'
import { type RedisService, startPostgres, startRedis } from '@otel-ws/services'
import { createAdapter as createPostgresAdapter } from '@socket.io/postgres-adapter'
import { Emitter as PostgresEmitter } from '@socket.io/postgres-emitter'
import { createAdapter as createRedisAdapter, createShardedAdapter } from '@socket.io/redis-adapter'
import { Emitter as RedisEmitter } from '@socket.io/redis-emitter'
import { createAdapter as createStreamsAdapter } from '@socket.io/redis-streams-adapter'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import { createAdapter as createOldPostgresAdapter } from 'postgres-adapter-0.3'
import { createClient } from 'redis'
import type { ServerOptions } from 'socket.io'

type Adapter = NonNullable<ServerOptions['adapter']>

/** A cluster adapter, and the server that connects its nodes. */
export interface Backend {
  readonly name: string
  /** Messages between servers carry a context: the adapter is built on Socket.IO's `ClusterAdapter`. */
  readonly carriesServerSideEmit: boolean
  /** There is an emitter that publishes to the nodes of this adapter. */
  readonly hasEmitter: boolean
  /** Starts the server and returns a factory of adapters, one for each node. */
  start(): Promise<Cluster>
}

/** A running backend. */
export interface Cluster {
  adapter(): Promise<Adapter>
  /** An emitter for the same cluster. */
  emitter(): Promise<Pick<RedisEmitter, 'emit' | 'of' | 'to' | 'in' | 'except' | 'volatile'>>
  /** Releases the nodes' connections, which are closed by now, and stops the server. */
  stop(): Promise<void>
}

async function redisCluster(
  make: (url: string, key: string, closing: (() => unknown)[]) => Promise<Adapter>,
): Promise<Cluster> {
  const redis: RedisService = await startRedis()
  const key = `otel-ws-${randomUUID()}`
  const closing: (() => unknown)[] = []
  return {
    adapter: () => make(redis.url, key, closing),
    async emitter() {
      const client = ioredis(redis.url, closing)
      return new RedisEmitter(client, { key })
    },
    async stop() {
      for (const close of closing.splice(0)) await close()
      await redis.stop()
    },
  }
}

function ioredis(url: string, closing: (() => unknown)[]): Redis {
  const client = new Redis(url, { lazyConnect: false })
  client.on('error', () => {})
  closing.push(() => client.disconnect())
  return client
}

async function nodeRedis(url: string, closing: (() => unknown)[]) {
  const client = createClient({ url })
  client.on('error', () => {})
  await client.connect()
  closing.push(() => client.close())
  return client
}

export const BACKENDS: readonly Backend[] = [
  {
    name: 'Redis with ioredis',
    carriesServerSideEmit: false,
    hasEmitter: true,
    start: () =>
      redisCluster(async (url, key, closing) => {
        return createRedisAdapter(ioredis(url, closing), ioredis(url, closing), { key }) as unknown as Adapter
      }),
  },
  {
    name: 'Redis with redis',
    carriesServerSideEmit: false,
    hasEmitter: true,
    start: () =>
      redisCluster(async (url, key, closing) => {
        const [publisher, subscriber] = [await nodeRedis(url, closing), await nodeRedis(url, closing)]
        return createRedisAdapter(publisher, subscriber, { key }) as unknown as Adapter
      }),
  },
  {
    name: 'Redis, sharded',
    carriesServerSideEmit: true,
    hasEmitter: false,
    start: () =>
      redisCluster(async (url, key, closing) => {
        const [publisher, subscriber] = [await nodeRedis(url, closing), await nodeRedis(url, closing)]
        return createShardedAdapter(publisher, subscriber, { channelPrefix: key }) as unknown as Adapter
      }),
  },
  {
    name: 'Redis Streams',
    carriesServerSideEmit: true,
    hasEmitter: false,
    start: () =>
      redisCluster(async (url, key, closing) => {
        const settings = { streamName: key, channelPrefix: key, blockTimeInMs: 200 }
        return createStreamsAdapter(ioredis(url, closing), settings) as unknown as Adapter
      }),
  },
  {
    name: 'Postgres',
    carriesServerSideEmit: true,
    // Its messages lack the namespace, which the adapter has asked for since 0.4.
    hasEmitter: false,
    start: () => postgresCluster(createPostgresAdapter),
  },
  {
    name: 'Postgres, adapter 0.3',
    carriesServerSideEmit: false,
    hasEmitter: true,
    start: () => postgresCluster(createOldPostgresAdapter),
  },
]

async function postgresCluster(create: (pool: Pool, options: { channelPrefix: string }) => unknown): Promise<Cluster> {
  const postgres = await startPostgres()
  const pools: Pool[] = []
  const channelPrefix = `otel-ws-${randomUUID()}`
  const pool = (): Pool => {
    const made = new Pool({ connectionString: postgres.url, max: 4 })
    made.on('error', () => {})
    pools.push(made)
    return made
  }
  await pool().query(
    'CREATE TABLE IF NOT EXISTS socket_io_attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea)',
  )
  return {
    adapter: async () => create(pool(), { channelPrefix }) as Adapter,
    emitter: async () => new PostgresEmitter(pool(), '/', { channelPrefix }) as unknown as RedisEmitter,
    async stop() {
      await Promise.all(pools.map((made) => made.end()))
      await postgres.stop()
    },
  }
}
