import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Published } from './tarballs.ts'

/** Throws unless the instrumentation scope in `src/version.ts` has the name and version of the package; a package without that file passes. */
export async function checkVersion({ name, version, folder }: Published): Promise<void> {
  const file = join(folder, 'src', 'version.ts')
  if ((await readFile(file, 'utf8').catch(() => undefined)) === undefined) return
  const { SCOPE } = (await import(pathToFileURL(file).href)) as { SCOPE: { name: string; version: string } }
  if (SCOPE.name === name && SCOPE.version === version) return
  throw new Error(`src/version.ts says ${SCOPE.name} ${SCOPE.version}; package.json says ${name} ${version}`)
}
