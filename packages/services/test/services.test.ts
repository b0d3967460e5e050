import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, readdir, rm } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { afterEach, describe, expect, it } from 'vitest'
import { startPostgres, startRedis } from '../src/index.ts'

const index = new URL('../src/index.ts', import.meta.url).href
const given = { REDIS_URL: process.env.REDIS_URL, DATABASE_URL: process.env.DATABASE_URL }

afterEach(() => {
  for (const [name, value] of Object.entries(given)) {
    if (value === undefined) delete process.env[name]
    else process.env[name] = value
  }
})

/** True when somebody takes connections there. */
async function answers(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}

/** Asks a Redis in its own protocol. */
async function ask(url: string, command: string): Promise<string> {
  const { hostname, port } = new URL(url)
  const socket = createConnection(Number(port), hostname)
  socket.end(`${command}\r\n`)
  const [line] = (await once(createInterface(socket), 'line')) as [string]
  socket.destroy()
  return line
}

describe('a Redis of our own', () => {
  it('answers, fails and comes back empty at the same address', async () => {
    delete process.env.REDIS_URL
    const redis = await startRedis()
    expect(redis.mayFail).toBe(true)
    expect(await ask(redis.url, 'SET x 1')).toBe('+OK')
    await redis.kill()
    expect(await answers(redis.url)).toBe(false)
    const { url } = redis
    await redis.restart()
    expect(redis.url).toBe(url)
    expect(await ask(url, 'EXISTS x')).toBe(':0')
    await redis.stop()
    expect(await answers(url)).toBe(false)
  })

  it('ends with the process that started it, however that ends', async () => {
    const script = `
      const { startRedis } = await import(${JSON.stringify(index)})
      const redis = await startRedis()
      console.log(redis.url)
      setInterval(() => {}, 1000)
    `
    const temporary = await mkdtemp(join(tmpdir(), 'otel-ws-test-'))
    const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], {
      env: { ...process.env, REDIS_URL: '', TMPDIR: temporary },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const [url] = (await once(createInterface(child.stdout), 'line')) as [string]
    expect(await answers(url)).toBe(true)
    expect(await readdir(temporary)).toContainEqual(expect.stringMatching(/^otel-ws-redis-/))
    child.kill('SIGKILL')
    await once(child, 'exit')
    // Nobody is left who could tell: the port and the directory are asked until they are free.
    await expect.poll(() => answers(url), { timeout: 30_000 }).toBe(false)
    const servers = async () => (await readdir(temporary)).filter((name) => name.startsWith('otel-ws-redis-'))
    await expect.poll(servers, { timeout: 30_000 }).toEqual([])
    await rm(temporary, { recursive: true })
  })
})

describe('a Postgres of our own', () => {
  it('takes connections until it is stopped', async () => {
    delete process.env.DATABASE_URL
    const postgres = await startPostgres()
    expect(await answers(postgres.url)).toBe(true)
    await postgres.stop()
    expect(await answers(postgres.url)).toBe(false)
  })
})

describe('a server that the environment names', () => {
  it('is used and left alone', async () => {
    process.env.REDIS_URL = 'redis://example.test:1'
    process.env.DATABASE_URL = 'postgres://example.test:2/x'
    const redis = await startRedis()
    const postgres = await startPostgres()
    expect([redis.url, redis.mayFail, postgres.url]).toEqual([
      'redis://example.test:1',
      false,
      'postgres://example.test:2/x',
    ])
    await expect(redis.kill()).rejects.toThrow('not ours to end')
    await redis.stop()
    await postgres.stop()
  })
})
