import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, normalize, sep } from 'node:path'

/** A file of a package that is loaded already. */
export interface LoadedFile {
  readonly exports: unknown
  /** Version of the package, if its manifest tells. */
  readonly version: string | undefined
}

const { cache } = createRequire(import.meta.url)

/**
 * Finds every copy of a package's file among the CommonJS modules that are loaded, also those that ES modules imported.
 *
 * @param file path inside the package, with forward slashes
 */
export function loadedFiles(packageName: string, file: string): LoadedFile[] {
  const end = sep + normalize(join(packageName, file))
  const found: LoadedFile[] = []
  for (const [path, module] of Object.entries(cache)) {
    if (!path.endsWith(end) || module?.loaded !== true) continue
    found.push({ exports: module.exports, version: versionOf(path.slice(0, -file.length)) })
  }
  return found
}

/** Requires a module as the application would; `undefined` when there is none. */
export function requiredByApplication(specifier: string): unknown {
  for (const from of applicationFiles()) {
    try {
      return createRequire(from)(specifier)
    } catch {}
  }
  return undefined
}

/** Files that the application's modules are found from: its main module, and any in its folder. */
export function applicationFiles(): string[] {
  return [process.argv[1], join(process.cwd(), 'package.json')].filter((file) => file !== undefined)
}

function versionOf(folder: string): string | undefined {
  try {
    const { version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as { version?: unknown }
    return typeof version === 'string' ? version : undefined
  } catch {
    return undefined
  }
}
