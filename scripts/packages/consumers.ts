import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { binary, mustRun, root } from '../run.ts'
import type { Tarball } from './tarballs.ts'

const templates = fileURLToPath(new URL('consumers', import.meta.url))

/** What consumers use beside our packages, in the versions that this repository is tested with. */
const OTHERS = [
  '@fastify/websocket',
  '@opentelemetry/api',
  '@opentelemetry/context-async-hooks',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace',
  '@types/node',
  '@types/ws',
  'fastify',
  'ws',
]

/** Makes a folder in which npm has installed packed packages, with a consumer application of each kind below it. */
export async function createProject(folder: string, tarballs: readonly Tarball[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const dependencies: Record<string, string> = {}
  for (const { name, file } of tarballs) dependencies[name] = `file:${file}`
  for (const name of OTHERS) dependencies[name] = await installedVersion(name)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await mustRun(
    'npm',
    ['install', '--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock'],
    {
      cwd: folder,
    },
  )
  await cp(templates, folder, { recursive: true })
  for (const kind of ['nodenext', 'commonjs'])
    await cp(join(templates, 'typescript'), join(folder, kind), { recursive: true })
}

/** Runs each consumer application; resolves to their names. Throws with what one says that fails. */
export async function runConsumers(project: string): Promise<string[]> {
  const kinds = (await readdir(templates, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  const names = kinds.map((entry) => entry.name).filter((name) => name !== 'typescript')
  for (const name of names) await runConsumer(join(project, name))
  return names
}

async function runConsumer(cwd: string): Promise<void> {
  const isTypeScript = (await readdir(cwd)).includes('tsconfig.json')
  if (isTypeScript) await mustRun(process.execPath, [binary('typescript', 'tsc'), '-p', '.'], { cwd })
  // Some check of this process may have preloaded a module or set a variable of ours.
  const env = { NODE_OPTIONS: undefined }
  await mustRun(process.execPath, [isTypeScript ? 'out/main.js' : 'main.js'], { cwd, env })
}

async function installedVersion(name: string): Promise<string> {
  const manifest = await readFile(join(root, 'scripts', 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
