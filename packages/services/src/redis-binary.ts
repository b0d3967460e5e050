import { type ExecFileOptions, execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { arch, homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** How `redis-server` is called. */
export interface RedisBinary {
  readonly command: string
  readonly env: NodeJS.ProcessEnv
}

/** Packages of Debian and its derivatives that a server needs, and that a small system does not have already. */
const PACKAGES = ['redis-server', 'redis-tools', 'libjemalloc2', 'liblzf1']

/**
 * The `redis-server` of this machine, else one that is fetched once with `apt-get` and kept in the user's cache. Nothing
 * is installed and no rights are needed.
 */
export async function redisBinary(): Promise<RedisBinary> {
  if (await runs('redis-server', {})) return { command: 'redis-server', env: {} }
  const kept = join(cacheDirectory(), `redis-${arch()}`)
  const known = await unpacked(kept)
  if (known !== undefined && (await runs(known.command, known.env))) return known
  await fetch(kept)
  const fetched = await unpacked(kept)
  if (fetched !== undefined && (await runs(fetched.command, fetched.env))) return fetched
  throw new Error(`no redis-server: the one fetched to ${kept} does not run here. ${ADVICE}`)
}

const ADVICE = 'Install redis-server, or set REDIS_URL.'

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'otel-ws')
}

async function runs(command: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return run(command, ['--version'], { env: { ...process.env, ...env } }).then(
    () => true,
    () => false,
  )
}

/** How the server of an unpacked archive is called, if there is one. */
async function unpacked(directory: string): Promise<RedisBinary | undefined> {
  const command = join(directory, 'usr/bin/redis-server')
  try {
    await access(command)
    const libraries = join(directory, 'usr/lib')
    const folders = await readdir(libraries, { withFileTypes: true })
    const path = folders.filter((entry) => entry.isDirectory()).map(({ name }) => join(libraries, name))
    return { command, env: { LD_LIBRARY_PATH: path.join(':') } }
  } catch {
    return undefined
  }
}

async function fetch(target: string): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'otel-ws-fetch-'))
  try {
    await download(work)
    const root = `${target}.${process.pid}`
    await mkdir(root, { recursive: true })
    const archives = (await readdir(work)).filter((name) => name.endsWith('.deb'))
    for (const archive of archives) await run('dpkg', ['-x', join(work, archive), root])
    // Whoever is first provides it for all; half an archive is never seen.
    await rm(target, { recursive: true, force: true })
    await rename(root, target).catch(() => rm(root, { recursive: true, force: true }))
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)
    throw new Error(`no redis-server here, and it cannot be fetched (${reason}). ${ADVICE}`)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function download(directory: string): Promise<void> {
  const options = { cwd: directory }
  try {
    await run('apt-get', ['download', ...PACKAGES], options)
  } catch {
    // Containers come without package lists. Lists of our own need no rights either.
    const own = ['-o', `Dir::State=${directory}/state`, '-o', `Dir::Cache=${directory}/cache`]
    await mkdir(join(directory, 'state/lists/partial'), { recursive: true })
    await mkdir(join(directory, 'cache/archives/partial'), { recursive: true })
    await run('apt-get', [...own, '-qq', 'update'], options)
    await run('apt-get', [...own, 'download', ...PACKAGES], options)
  }
}

async function run(command: string, args: readonly string[], options: ExecFileOptions = {}): Promise<void> {
  await execute(command, args, { timeout: 120_000, ...options })
}
