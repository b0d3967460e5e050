import { type ExecFileOptions, execFile } from 'node:child_process'
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises'
import { arch, homedir, tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'

const execute = promisify(execFile)

/** A program, and the variables that it needs. */
export interface Binary {
  readonly command: string
  readonly env: NodeJS.ProcessEnv
}

/** A program of Debian and its derivatives. */
export interface DebianProgram {
  /** Its name, which stands in `/usr/bin`. */
  readonly name: string
  /** The packages that it needs, and that a small system does not have already. */
  readonly packages: readonly string[]
  /** What to do if it cannot be fetched. */
  readonly advice: string
}

/**
 * The program of this machine, else one that is fetched once with `apt-get` and kept in the user's cache. Nothing is
 * installed and no rights are needed.
 *
 * @throws Error that says why it cannot be fetched, and what to do
 */
export async function debianBinary(program: DebianProgram): Promise<Binary> {
  const { name, advice } = program
  if (await runs(name, {})) return { command: name, env: {} }
  const kept = join(cacheDirectory(), `${program.packages[0]}-${arch()}`)
  const known = await unpacked(kept, name)
  if (known !== undefined && (await runs(known.command, known.env))) return known
  await fetch(kept, program)
  const fetched = await unpacked(kept, name)
  if (fetched !== undefined && (await runs(fetched.command, fetched.env))) return fetched
  throw new Error(`no ${name}: the one fetched to ${kept} does not run here. ${advice}`)
}

function cacheDirectory(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'otel-ws')
}

async function runs(command: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  return run(command, ['--version'], { env: { ...process.env, ...env } }).then(
    () => true,
    () => false,
  )
}

/** The program of unpacked archives, if it is there. */
async function unpacked(directory: string, name: string): Promise<Binary | undefined> {
  const command = join(directory, 'usr/bin', name)
  try {
    await access(command)
  } catch {
    return undefined
  }
  const libraries = join(directory, 'usr/lib')
  const folders = await readdir(libraries, { withFileTypes: true }).catch(() => [])
  const path = folders.filter((entry) => entry.isDirectory()).map((entry) => join(libraries, entry.name))
  return { command, env: path.length === 0 ? {} : { LD_LIBRARY_PATH: path.join(':') } }
}

async function fetch(target: string, { name, packages, advice }: DebianProgram): Promise<void> {
  const work = await mkdtemp(join(tmpdir(), 'otel-ws-fetch-'))
  try {
    await download(work, packages)
    const root = `${target}.${process.pid}`
    await mkdir(root, { recursive: true })
    const archives = (await readdir(work)).filter((file) => file.endsWith('.deb'))
    for (const archive of archives) await run('dpkg', ['-x', join(work, archive), root])
    // The first process provides it for all; half an archive is never seen.
    await rm(target, { recursive: true, force: true })
    await rename(root, target).catch(() => rm(root, { recursive: true, force: true }))
  } catch (error) {
    const reason = error instanceof Error ? error.message.trim().split('\n').at(-1) : String(error)
    throw new Error(`no ${name} here, and it cannot be fetched (${reason}). ${advice}`)
  } finally {
    await rm(work, { recursive: true, force: true })
  }
}

async function download(directory: string, packages: readonly string[]): Promise<void> {
  const options = { cwd: directory }
  try {
    await run('apt-get', ['download', ...packages], options)
  } catch {
    // Containers come without package lists. Lists of our own need no rights either.
    const own = ['-o', `Dir::State=${directory}/state`, '-o', `Dir::Cache=${directory}/cache`]
    await mkdir(join(directory, 'state/lists/partial'), { recursive: true })
    await mkdir(join(directory, 'cache/archives/partial'), { recursive: true })
    await run('apt-get', [...own, '-qq', 'update'], options)
    await run('apt-get', [...own, 'download', ...packages], options)
  }
}

async function run(command: string, args: readonly string[], options: ExecFileOptions = {}): Promise<void> {
  await execute(command, args, { timeout: 120_000, ...options })
}
