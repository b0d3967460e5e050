import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, normalize, sep } from 'node:path'

/** A loaded file of a package. */
export interface LoadedFile {
  readonly exports: unknown
  /** Version in the package's manifest, if it could be read. */
  readonly version: string | undefined
}

const { cache } = createRequire(import.meta.url)

/**
 * Finds all copies of a package's file among the loaded CommonJS modules, including those that ES modules imported.
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

/** Requires a module from the application's files; `undefined` if it is not found. */
export function requiredByApplication(specifier: string): unknown {
  for (const from of applicationFiles()) {
    try {
      return createRequire(from)(specifier)
    } catch {}
  }
  return undefined
}

/** Returns files from which the application's modules are resolved: its main module, and one in the working directory. */
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
