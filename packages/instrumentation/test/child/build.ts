import { spawn } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { mkdir, mkdtemp, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Packages that the applications of these tests import as published. */
export const OURS: readonly string[] = [
  'core',
  'client',
  'ws',
  'fastify',
  'socket.io',
  'nestjs',
  'crossws',
  'hono',
  'instrumentation',
]

const packages = fileURLToPath(new URL('../../..', import.meta.url))
const root = dirname(packages)
const cache = join(root, 'node_modules', '.cache', 'otel-ws-built')

interface Manifest {
  readonly publishConfig: Readonly<Record<string, unknown>>
}

/** Resolves with a folder of the packages, built from the current source by the first test that needs them. */
export async function builtPackages(): Promise<string> {
  const folder = join(cache, await sourceHash())
  const isThere = await readdir(folder).catch(() => [])
  if (isThere.length > 0) return folder
  await mkdir(cache, { recursive: true })
  const own = await mkdtemp(join(cache, 'building-'))
  try {
    await Promise.all(OURS.map((name) => build(name, join(own, name))))
    // Another test may have been faster: a folder that is not empty is not replaced.
    await rename(own, folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOTEMPTY' && error.code !== 'EEXIST') throw error
    })
    await forget(folder)
    return folder
  } finally {
    await rm(own, { recursive: true, force: true })
  }
}

/** Removes builds of earlier sources. */
async function forget(current: string): Promise<void> {
  for (const name of await readdir(cache)) {
    const folder = join(cache, name)
    if (folder !== current && !name.startsWith('building-')) await rm(folder, { recursive: true, force: true })
  }
}

/** Hash of all files that a build reads. */
async function sourceHash(): Promise<string> {
  const hash = createHash('sha256')
  hash.update(await readFile(join(root, 'tsdown.shared.ts')))
  hash.update(await readFile(join(root, 'pnpm-lock.yaml')))
  for (const name of OURS) {
    const folder = join(packages, name)
    const sources = (await readdir(join(folder, 'src'), { recursive: true })).filter((file) => file.endsWith('.ts'))
    for (const file of ['package.json', 'tsdown.config.ts', ...sources.sort().map((source) => join('src', source))]) {
      hash.update(`\n${name}/${file}\n`).update(await readFile(join(folder, file)))
    }
  }
  return hash.digest('hex').slice(0, 16)
}

async function build(name: string, target: string): Promise<void> {
  const source = join(packages, name)
  const { publishConfig, ...manifest } = JSON.parse(await readFile(join(source, 'package.json'), 'utf8')) as Manifest
  await mkdir(target, { recursive: true })
  await writeFile(join(target, 'package.json'), JSON.stringify({ ...manifest, ...publishConfig }))
  const tsdown = join(dirname(createRequire(join(root, 'package.json')).resolve('tsdown')), 'run.mjs')
  const child = spawn(
    process.execPath,
    [tsdown, '--no-dts', '--logLevel', 'error', '--out-dir', join(target, 'dist')],
    {
      cwd: source,
      env: { ...process.env, NODE_OPTIONS: '' },
      stdio: ['ignore', 'ignore', 'pipe'],
    },
  )
  let errors = ''
  child.stderr.setEncoding('utf8').on('data', (chunk) => {
    errors += chunk
  })
  const [code] = (await once(child, 'close')) as [number]
  if (code !== 0) throw new Error(`${name} was not built: ${errors}`)
}
