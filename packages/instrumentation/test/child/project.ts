import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { builtPackages, OURS } from './build.ts'

const packages = fileURLToPath(new URL('../../..', import.meta.url))
const root = dirname(packages)
const apps = fileURLToPath(new URL('../apps', import.meta.url))

/** Workspaces whose installed packages the applications can import. */
const INSTALLED = ['.', ...OURS.map((name) => join('packages', name))]

/** A folder with installed packages, as npm would create it. */
export interface Project {
  readonly folder: string
  remove(): Promise<void>
}

/** Milliseconds to build the packages on a loaded machine. */
const PATIENCE = 120_000

/** Creates a project for the tests of a file or suite. Its folder exists while they run. */
export function useProject(install: () => Promise<Project> = installProject): { readonly folder: string } {
  let project: Project
  beforeAll(async () => {
    project = await install()
  }, PATIENCE)
  afterAll(() => project.remove())
  return {
    get folder() {
      return project.folder
    },
  }
}

/** The applications of these tests, the packages as published, and the installed packages of this workspace. */
async function installProject(): Promise<Project> {
  return assemble([], async (own) => cp(await builtPackages(), own, { recursive: true }))
}

/**
 * Creates another project with the packages of an existing one.
 *
 * @param preferred folder of this workspace whose installed packages come first
 */
export async function installVariant({ folder }: { readonly folder: string }, preferred: string): Promise<Project> {
  return assemble([preferred], (own) => cp(join(folder, 'node_modules', '@otel-ws'), own, { recursive: true }))
}

async function assemble(preferred: readonly string[], addOwn: (folder: string) => Promise<unknown>): Promise<Project> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), 'otel-ws-')))
  const modules = join(folder, 'node_modules')
  await mkdir(join(modules, '@otel-ws'), { recursive: true })
  await addOwn(join(modules, '@otel-ws'))
  for (const name of [...preferred, ...INSTALLED]) await linkAll(join(root, name, 'node_modules'), modules)
  await cp(apps, folder, { recursive: true })
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) }
}

async function linkAll(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (name.startsWith('.') || name === '@otel-ws') continue
    if (name.startsWith('@')) {
      await mkdir(join(to, name), { recursive: true })
      await linkAll(join(from, name), join(to, name))
    } else {
      await symlink(await realpath(join(from, name)), join(to, name)).catch(ignoreExisting)
    }
  }
}

function ignoreExisting(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EEXIST') throw error
}
