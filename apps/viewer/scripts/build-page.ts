import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

const page = new URL('../page/', import.meta.url)
const dist = new URL('../dist/', import.meta.url)
const built = new URL('page/', dist)
const lock = new URL('page.lock/', dist)
const sources = [page, new URL('../src/', import.meta.url), new URL('../package.json', import.meta.url)]
/** A build takes a second or two; a lock that is older belongs to a process that is gone. */
const lockLasts = 60_000

/** Builds the page unless the built one is newer than its source. Returns the folder of the built page. */
export async function buildPage(): Promise<URL> {
  if (await fresh()) return built
  await mkdir(dist, { recursive: true })
  // Several processes may start at once, tests above all: one builds, the others wait for it.
  while (!(await locked())) {
    await wait(50)
    if (await fresh()) return built
  }
  try {
    if (!(await fresh())) await buildAside()
  } finally {
    await rm(lock, { recursive: true, force: true })
  }
  return built
}

/** In a process of its own: Vite changes the environment of the one it runs in, which is a demo's or a test's. */
async function buildAside(): Promise<void> {
  const aside = new URL('new/', lock)
  const vite = join(dirname(createRequire(import.meta.url).resolve('vite/package.json')), 'bin/vite.js')
  const child = spawn(
    process.execPath,
    [vite, 'build', fileURLToPath(page), '--logLevel', 'error', '--emptyOutDir', '--outDir', fileURLToPath(aside)],
    { stdio: ['ignore', 'ignore', 'inherit'], env: { ...process.env, NODE_ENV: 'production', NODE_OPTIONS: '' } },
  )
  const [code] = await once(child, 'exit')
  if (code !== 0) throw new Error(`the page could not be built: vite ended with ${code}`)
  await rm(built, { recursive: true, force: true })
  await rename(aside, built)
}

async function locked(): Promise<boolean> {
  try {
    await mkdir(lock)
    return true
  } catch {
    const since = await changed(lock)
    if (since > 0 && Date.now() - since > lockLasts) await rm(lock, { recursive: true, force: true })
    return false
  }
}

async function fresh(): Promise<boolean> {
  const newest = Math.max(...(await Promise.all(sources.map(newestChange))))
  return (await changed(new URL('index.html', built))) > newest
}

/** When a file last changed; 0 when there is none. */
async function changed(file: URL): Promise<number> {
  try {
    return (await stat(file)).mtimeMs
  } catch {
    return 0
  }
}

async function newestChange(from: URL): Promise<number> {
  if (!(await stat(from)).isDirectory()) return changed(from)
  const entries = await readdir(from, { recursive: true, withFileTypes: true })
  const files = entries.filter((entry) => entry.isFile())
  const times = await Promise.all(files.map(async (entry) => (await stat(`${entry.parentPath}/${entry.name}`)).mtimeMs))
  return Math.max(...times)
}
