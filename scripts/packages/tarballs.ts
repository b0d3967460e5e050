import { mkdir, readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { binary, mustRun, root } from '../run.ts'

/** A package of this repository that is published. */
export interface Published {
  readonly name: string
  readonly version: string
  readonly folder: string
  /** Paths under which it is imported, such as `.` and `./adapter`. */
  readonly doors: readonly string[]
  /** Names of the packages that are installed with it. */
  readonly dependencies: readonly string[]
}

/** A packed package. */
export interface Tarball extends Published {
  readonly file: string
}

interface Manifest {
  readonly name: string
  readonly version: string
  readonly private?: boolean
  readonly exports?: Readonly<Record<string, unknown>>
  readonly dependencies?: Readonly<Record<string, string>>
}

/** The packages below these folders that are not private. */
export async function publishedPackages(folders: readonly string[]): Promise<Published[]> {
  const found: Published[] = []
  for (const parent of folders) {
    for (const entry of (await readdir(join(root, parent))).sort()) {
      const folder = join(root, parent, entry)
      const text = await readFile(join(folder, 'package.json'), 'utf8').catch(() => undefined)
      if (text === undefined) continue
      const manifest = JSON.parse(text) as Manifest
      if (manifest.private === true) continue
      const doors = Object.keys(manifest.exports ?? {}).filter((door) => door !== './package.json')
      const dependencies = Object.keys(manifest.dependencies ?? {})
      found.push({ name: manifest.name, version: manifest.version, folder, doors, dependencies })
    }
  }
  return found
}

/** Packs packages that have been built into a folder, as publishing would. */
export async function pack(packages: readonly Published[], destination: string): Promise<Tarball[]> {
  await mkdir(destination, { recursive: true })
  const tarballs: Tarball[] = []
  for (const published of packages) {
    const output = await mustRun('pnpm', ['pack', '--json', '--pack-destination', destination], {
      cwd: published.folder,
    })
    const { filename } = JSON.parse(output.slice(output.indexOf('{'))) as { filename: string }
    tarballs.push({ ...published, file: filename })
  }
  return tarballs
}

/** Checks a tarball's manifest, exports and types. Throws with what the tools report. */
export async function lint(tarball: Tarball): Promise<void> {
  await mustRun(process.execPath, [binary('publint'), 'run', tarball.file, '--strict'])
  await mustRun(process.execPath, [
    binary('@arethetypeswrong/cli', 'attw'),
    tarball.file,
    '--profile',
    profile(tarball),
  ])
}

/** The viewer is ES modules only. */
function profile({ name }: Tarball): string {
  return name === '@otel-ws/viewer' ? 'esm-only' : 'strict'
}
