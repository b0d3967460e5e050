import { mkdir, mkdtemp, readdir, rename, rm, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'vite'

const page = new URL('../page/', import.meta.url)
const dist = new URL('../dist/', import.meta.url)

/** Builds the page unless the built one is newer than its source. Returns the folder of the built page. */
export async function buildPage(): Promise<URL> {
  const built = new URL('page/', dist)
  const sources = [page, new URL('../src/', import.meta.url), new URL('../package.json', import.meta.url)]
  const newest = Math.max(...(await Promise.all(sources.map(newestChange))))
  if ((await changed(new URL('index.html', built))) > newest) return built
  // Several processes may do this at once: each builds aside, and the last to move its result wins.
  await mkdir(dist, { recursive: true })
  const aside = await mkdtemp(fileURLToPath(new URL('page-', dist)))
  await build({
    root: fileURLToPath(page),
    configFile: fileURLToPath(new URL('vite.config.ts', page)),
    logLevel: 'error',
    build: { outDir: aside, emptyOutDir: true },
  })
  const target = fileURLToPath(built)
  await rm(target, { recursive: true, force: true })
  try {
    await rename(aside, target)
  } catch {
    await rm(aside, { recursive: true, force: true })
  }
  return built
}

async function changed(file: URL): Promise<number> {
  try {
    return (await stat(file)).mtimeMs
  } catch {
    return 0
  }
}

async function newestChange(from: URL): Promise<number> {
  if (!(await stat(from)).isDirectory()) return changed(from)
  let newest = 0
  for (const entry of await readdir(from, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const { mtimeMs } = await stat(`${entry.parentPath}/${entry.name}`)
    newest = Math.max(newest, mtimeMs)
  }
  return newest
}
