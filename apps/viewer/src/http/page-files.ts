import { readdir, readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { pathToFileURL } from 'node:url'

export interface PageFile {
  readonly type: string
  readonly body: Buffer
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
}

/** Reads the built page into memory, by path: no path of a request ever reaches the file system. */
export async function loadPage(): Promise<ReadonlyMap<string, PageFile>> {
  const folder = await pageFolder()
  const files = new Map<string, PageFile>()
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const file = pathToFileURL(join(entry.parentPath, entry.name))
    const path = file.href.slice(folder.href.length - 1)
    const type = types[extname(entry.name)]
    if (type !== undefined) files.set(path === '/index.html' ? '/' : path, { type, body: await readFile(file) })
  }
  return files
}

async function pageFolder(): Promise<URL> {
  // The package carries its page beside the bundle; a checkout builds it when it is missing or older than its source.
  if (!import.meta.url.endsWith('.ts')) return new URL('./page/', import.meta.url)
  const script = new URL('../../scripts/build-page.ts', import.meta.url).href
  const { buildPage } = (await import(script)) as { buildPage: () => Promise<URL> }
  return buildPage()
}
