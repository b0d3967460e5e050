import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { debianBinary } from './debian.ts'
import { freePort } from './free-port.ts'
import { GuardedProcess } from './guarded-process.ts'
import type { Service } from './service.ts'

/** A Redis whose failure can be tried out. */
export interface RedisService extends Service {
  /** False for the one of `REDIS_URL`, which is not ours to end. */
  readonly mayFail: boolean
  /** Ends it as a crash would; all data is lost. */
  kill(): Promise<void>
  /** Starts it again, at the same address. */
  restart(): Promise<void>
}

const REDIS = {
  name: 'redis-server',
  packages: ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1'],
  advice: 'Install redis-server, or set REDIS_URL.',
}

/** Times that a port is tried for: between its choice and its use somebody else may take it. */
const ATTEMPTS = 5

/**
 * A Redis: the one of `REDIS_URL`, else one of its own. That needs `redis-server`, which is fetched from the system's
 * package archive when it is not installed. It ends with this process.
 *
 * @throws when there is none and none can be had; the message says what to install
 */
export async function startRedis(): Promise<RedisService> {
  const given = process.env.REDIS_URL
  if (given !== undefined && given !== '') return new ForeignRedis(given)
  return OwnRedis.start()
}

class ForeignRedis implements RedisService {
  readonly url: string
  readonly mayFail = false

  constructor(url: string) {
    this.url = url
  }

  async stop(): Promise<void> {}

  kill(): Promise<void> {
    return Promise.reject(new Error('the Redis of REDIS_URL is not ours to end'))
  }

  restart(): Promise<void> {
    return this.kill()
  }
}

class OwnRedis implements RedisService {
  readonly mayFail = true
  readonly #port: number
  #server: GuardedProcess | undefined

  private constructor(port: number, server: GuardedProcess) {
    this.#port = port
    this.#server = server
  }

  static async start(): Promise<OwnRedis> {
    for (let attempt = 1; ; attempt++) {
      const port = await freePort()
      try {
        return new OwnRedis(port, await launch(port))
      } catch (error) {
        if (attempt === ATTEMPTS || !String(error).includes('Address already in use')) throw error
      }
    }
  }

  get url(): string {
    return `redis://127.0.0.1:${this.#port}`
  }

  async stop(): Promise<void> {
    await this.#server?.stop()
    this.#server = undefined
  }

  async kill(): Promise<void> {
    await this.#server?.kill()
    this.#server = undefined
  }

  async restart(): Promise<void> {
    this.#server ??= await launch(this.#port)
  }
}

async function launch(port: number): Promise<GuardedProcess> {
  const { command, env } = await debianBinary(REDIS)
  const directory = await mkdtemp(join(tmpdir(), 'otel-ws-redis-'))
  const settings = { port: String(port), bind: '127.0.0.1', dir: directory, save: '', appendonly: 'no' }
  return GuardedProcess.start({
    command,
    args: Object.entries(settings).flatMap(([name, value]) => [`--${name}`, value]),
    env,
    directory,
    stopSignal: 'TERM',
    ready: /Ready to accept connections/,
  })
}
