import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Tarball } from '../packages/tarballs.ts'
import { mustRun } from '../run.ts'

/** A manifest as it is published. */
interface Manifest {
  readonly name?: string
  readonly version?: string
  readonly license?: string
  readonly private?: boolean
  readonly repository?: { readonly url?: string; readonly directory?: string }
  readonly engines?: { readonly node?: string }
  readonly exports?: unknown
  readonly bin?: Readonly<Record<string, string>>
  readonly dependencies?: Readonly<Record<string, string>>
  readonly peerDependencies?: Readonly<Record<string, string>>
}

/** Files that a package has beside what it exports. */
const DOCUMENTS = ['LICENSE', 'README.md', 'package.json']

/** Documents of the repository that every package contains, except for the viewer, which has no such options. */
const REFERENCES = ['docs/options.md', 'docs/telemetry.md']

/** Provenance is refused by npm when the manifest names another repository than the one that the workflow runs in. */
const REPOSITORY = 'git+https://github.com/otel-ws/otel-ws.git'

/** Problems of a packed package, a line each. */
export async function tarballProblems({ name, version, file }: Tarball): Promise<string[]> {
  const folder = `${file}-content`
  await mkdir(folder)
  await mustRun('tar', ['-xzf', file, '-C', folder])
  const files = await filesIn(join(folder, 'package'))
  const manifest = JSON.parse(await readFile(join(folder, 'package', 'package.json'), 'utf8')) as Manifest
  const problems = [...manifestProblems(manifest, version), ...fileProblems(manifest, files)]
  if (manifest.name !== name) problems.push(`is named ${manifest.name}`)
  return problems.map((problem) => `${name}: ${problem}`)
}

/** Problems of a manifest for a release of this version. */
export function manifestProblems(manifest: Manifest, version: string): string[] {
  const problems: string[] = []
  if (manifest.version !== version) problems.push(`has version ${manifest.version} instead of ${version}`)
  if (manifest.private === true) problems.push('is private')
  if (manifest.license !== 'Apache-2.0') problems.push(`has license ${manifest.license}`)
  if (manifest.repository?.url !== REPOSITORY) problems.push(`names the repository ${manifest.repository?.url}`)
  if (manifest.engines?.node === undefined) problems.push('says no version of Node.js')
  for (const [dependency, range] of Object.entries({ ...manifest.dependencies, ...manifest.peerDependencies })) {
    if (/^(workspace|catalog|file|link):/.test(range))
      problems.push(`depends on ${dependency} ${range}, which npm cannot resolve`)
    else if (dependency.startsWith('@otel-ws/') && range !== version)
      problems.push(`depends on ${dependency} ${range} instead of ${version}`)
  }
  return problems
}

/** Problems of the files of a package: those that its manifest names and that are missing, and those that it does not need. */
export function fileProblems(manifest: Manifest, files: readonly string[]): string[] {
  const named = [...pathsIn(manifest.exports), ...Object.values(manifest.bin ?? {})].map((path) =>
    path.replace(/^\.\//, ''),
  )
  const references = manifest.name === '@otel-ws/viewer' ? [] : REFERENCES
  const missing = [...DOCUMENTS, ...references, ...named].filter((path) => !files.includes(path))
  const surplus = files.filter((path) => ![...DOCUMENTS, ...references].includes(path) && !path.startsWith('dist/'))
  const sources = files.filter((path) => /(?<!\.d)\.[cm]?tsx?$/.test(path) || /(^|\/)(test|src)\//.test(path))
  return [
    ...[...new Set(missing)].map((path) => `has no ${path}`),
    ...new Set([...surplus, ...sources].map((path) => `publishes ${path}`)),
  ]
}

/** Every path in a manifest's `exports`. */
function pathsIn(exports: unknown): string[] {
  if (typeof exports === 'string') return [exports]
  return typeof exports === 'object' && exports !== null ? Object.values(exports).flatMap(pathsIn) : []
}

async function filesIn(folder: string): Promise<string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(folder.length + 1)
        .replaceAll('\\', '/'),
    )
}
