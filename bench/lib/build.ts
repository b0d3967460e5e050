import { readFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build, type Rolldown } from 'tsdown'
import { countObjects } from './count-objects.ts'

const root = fileURLToPath(new URL('..', import.meta.url))
const ownPackages = fileURLToPath(new URL('../../packages', import.meta.url))

/** Folder of the built servers and the load generator. Emptied by each build. */
export const outDir: string = join(root, 'dist', 'servers')

/** Folder of profiles. */
export const profileDir: string = join(root, 'dist', 'profiles')

/** The packages in a server: this checkout's, those of the one that it is compared with, or this one's counting what they make. */
export type Build = 'after' | 'before' | 'counting'

/** The script of a server. */
export function serverScript(id: string, build: Build): string {
  return join(folderOf(build), `${id}.js`)
}

function folderOf(build: Build): string {
  return build === 'after' ? outDir : `${outDir}-${build}`
}

/** Bundles the load generator and these servers as plain JavaScript: this workspace's packages inlined, others imported. */
export async function buildServers(ids: readonly string[]): Promise<void> {
  await bundle({ load: 'load/main.ts', ...entries(ids) }, outDir, [])
}

/** Bundles these servers with the packages of another checkout of this repository. Throws when it has none. */
export async function buildServersBefore(ids: readonly string[], checkout: string): Promise<void> {
  await bundle(entries(ids), folderOf('before'), [packagesOf(resolve(checkout))])
}

/** Bundles these servers so that they count the objects which literals and closures of this repository's packages make. */
export async function buildCountingServers(ids: readonly string[]): Promise<void> {
  await bundle(entries(ids), folderOf('counting'), [countObjects(ownPackages)])
}

function entries(ids: readonly string[]): Record<string, string> {
  return Object.fromEntries(ids.map((id) => [id, `servers/${id}.ts`]))
}

async function bundle(entry: Record<string, string>, to: string, plugins: Rolldown.Plugin[]): Promise<void> {
  await build({
    config: false,
    cwd: root,
    entry,
    outDir: to,
    format: 'esm',
    fixedExtension: false,
    platform: 'node',
    target: 'node20.19',
    dts: false,
    logLevel: 'warn',
    plugins,
    deps: { alwaysBundle: [/^@otel-ws\//], onlyBundle: false },
  })
}

/** Resolves imports of this repository's packages to those of a checkout, and what they depend on to what is installed here. */
function packagesOf(checkout: string): Rolldown.Plugin {
  const folders = join(checkout, 'packages')
  return {
    name: 'packages-of-another-checkout',
    resolveId(id, importer) {
      const own = /^@otel-ws\/([^/]+)(\/.+)?$/.exec(id)
      if (own) return sourceOf(join(folders, own[1]!), `.${own[2] ?? ''}`)
      if (!importer?.startsWith(folders) || /^[./]|^node:/.test(id)) return undefined
      const [name] = importer.slice(folders.length + 1).split('/')
      return this.resolve(id, join(ownPackages, name!, 'package.json'))
    },
  }
}

/** The source file behind a package's door. */
function sourceOf(folder: string, door: string): string {
  const { exports } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')) as {
    exports: Record<string, string>
  }
  const file = exports[door]
  if (file === undefined) throw new TypeError(`${folder} exports no ${door}`)
  return join(folder, file)
}
