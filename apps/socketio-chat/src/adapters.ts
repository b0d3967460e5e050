import { createAdapter as createClusterAdapter } from '@socket.io/cluster-adapter'
import { createAdapter as createPostgresAdapter } from '@socket.io/postgres-adapter'
import { createAdapter as createRedisAdapter } from '@socket.io/redis-adapter'
import { Redis } from 'ioredis'
import { Pool } from 'pg'
import type { ServerOptions } from 'socket.io'

/** The adapters that can connect the nodes. The first needs no server. */
export const ADAPTERS = ['cluster', 'redis', 'postgres'] as const
export type AdapterName = (typeof ADAPTERS)[number]

/** How a node is connected to the others. */
export interface AdapterConfig {
  readonly name: AdapterName
  /** Where the server is, for those that need one. */
  readonly url: string
  /** Prefix of the channels of this demo. */
  readonly prefix: string
}

/** A node's adapter. */
export interface NodeAdapter {
  readonly adapter: NonNullable<ServerOptions['adapter']>
  /** Closes its connections; called when Socket.IO is closed. */
  close(): Promise<void>
}

/** Milliseconds until the next attempt to reach a server that is gone. */
const RETRY_DELAY = 200

/**
 * Makes the adapter of a node.
 *
 * @param warn called when the connection to the server is lost and when it is restored
 */
export function createNodeAdapter({ name, url, prefix }: AdapterConfig, warn: (message: string) => void): NodeAdapter {
  switch (name) {
    case 'cluster':
      return { adapter: createClusterAdapter() as unknown as NodeAdapter['adapter'], close: async () => {} }
    case 'redis': {
      const [publisher, subscriber] = [connect(url, warn), connect(url, () => {})]
      return {
        adapter: createRedisAdapter(publisher, subscriber, { key: prefix }) as unknown as NodeAdapter['adapter'],
        async close() {
          await Promise.all([publisher, subscriber].map((client) => client.quit().catch(() => client.disconnect())))
        },
      }
    }
    case 'postgres': {
      const pool = new Pool({ connectionString: url, max: 4 })
      pool.on('error', (error) => warn(`Postgres: ${error.message}`))
      return {
        adapter: createPostgresAdapter(pool, { channelPrefix: prefix }) as unknown as NodeAdapter['adapter'],
        close: () => pool.end(),
      }
    }
  }
}

/** The table that the Postgres adapter keeps large messages in. */
export async function preparePostgres(url: string): Promise<void> {
  const pool = new Pool({ connectionString: url, max: 1 })
  await pool.query(
    'CREATE TABLE IF NOT EXISTS socket_io_attachments (id bigserial UNIQUE, created_at timestamptz DEFAULT NOW(), payload bytea)',
  )
  await pool.end()
}

/** A client that waits for a server that is gone, and then sends what it has not got rid of. */
function connect(url: string, warn: (message: string) => void): Redis {
  const client = new Redis(url, { maxRetriesPerRequest: null, retryStrategy: () => RETRY_DELAY })
  let isGone = false
  client.on('error', () => {})
  client.on('close', () => {
    if (!isGone && client.status !== 'end') warn('connection to Redis lost')
    isGone = true
  })
  client.on('ready', () => {
    if (isGone) warn('connection to Redis restored')
    isGone = false
  })
  return client
}
