import { cp, mkdir, mkdtemp, readdir, realpath, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll } from 'vitest'
import { builtPackages, OURS } from './build.ts'

const packages = fileURLToPath(new URL('../../..', import.meta.url))
const root = dirname(packages)
const apps = fileURLToPath(new URL('../apps', import.meta.url))

/** Whose installed packages applications can import. */
const INSTALLED = ['.', ...OURS.map((name) => join('packages', name))]

/** A folder as npm would leave it. */
export interface Project {
  readonly folder: string
  remove(): Promise<void>
}

/** For building our packages on a loaded machine, in ms. */
const PATIENCE = 120_000

/** Has a project there while the tests of a file, or of a suite in it, run. Its folder is known from then on. */
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

/** The applications of these tests, our packages as they are published, and the installed ones of this workspace. */
async function installProject(): Promise<Project> {
  return assemble([], async (own) => cp(await builtPackages(), own, { recursive: true }))
}

/**
 * Another project with our packages from one that is there.
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
