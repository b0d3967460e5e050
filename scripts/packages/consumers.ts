import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { binary, mustRun, root } from '../run.ts'
import type { Tarball } from './tarballs.ts'

const templates = fileURLToPath(new URL('consumers', import.meta.url))

/** Packages that consumers use beside those of this repository, in the versions that this repository is tested with. */
const OTHERS = [
  '@fastify/websocket',
  '@hono/node-server',
  '@hono/node-ws',
  '@opentelemetry/api',
  '@opentelemetry/context-async-hooks',
  '@opentelemetry/sdk-metrics',
  '@opentelemetry/sdk-trace',
  '@types/node',
  '@types/ws',
  'crossws',
  'fastify',
  'hono',
  'ws',
]

/** Packages that a Nest application uses beside those of this repository. */
const NEST = [
  '@nestjs/common',
  '@nestjs/core',
  '@nestjs/platform-express',
  '@nestjs/platform-socket.io',
  '@nestjs/platform-ws',
  '@nestjs/websockets',
  'reflect-metadata',
  'rxjs',
]

/** Consumers with a Nest of their own, and where this repository has that version of it. */
const NEST_CONSUMERS: Readonly<Record<string, string>> = {
  'nest-11-commonjs': 'packages/nestjs/test/nest-11',
  'nest-12-esm': 'packages/nestjs',
}

/** Folders of code that several consumers have in common. */
const SHARED = ['typescript', 'nest']

/** Makes a folder in which npm has installed packed packages. */
export async function createProject(folder: string, tarballs: readonly Tarball[]): Promise<void> {
  await mkdir(folder, { recursive: true })
  const dependencies = await dependenciesOn(tarballs)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ private: true, dependencies }))
  await install(folder)
}

/** Adds a consumer application of each kind to such a folder. */
export async function addConsumers(folder: string, tarballs: readonly Tarball[]): Promise<void> {
  const dependencies = await dependenciesOn(tarballs)
  await cp(templates, folder, { recursive: true })
  for (const kind of ['nodenext', 'commonjs'])
    await cp(join(templates, 'typescript'), join(folder, kind), { recursive: true })
  for (const [kind, nest] of Object.entries(NEST_CONSUMERS)) {
    await createNestProject(join(folder, kind), join(root, nest), dependencies)
  }
}

async function dependenciesOn(tarballs: readonly Tarball[]): Promise<Record<string, string>> {
  const dependencies: Record<string, string> = {}
  for (const { name, file } of tarballs) dependencies[name] = `file:${file}`
  for (const name of OTHERS) dependencies[name] = await installedVersion(name)
  return dependencies
}

async function createNestProject(
  folder: string,
  nest: string,
  others: Readonly<Record<string, string>>,
): Promise<void> {
  await cp(join(templates, 'nest'), folder, { recursive: true })
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(await readFile(file, 'utf8')) as object
  const dependencies: Record<string, string> = {
    ...others,
    'socket.io-client': await installedVersion('socket.io-client'),
  }
  for (const name of NEST) dependencies[name] = await installedVersion(name, nest)
  await writeFile(file, JSON.stringify({ ...manifest, dependencies }))
  await install(folder)
}

async function install(folder: string): Promise<void> {
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund', '--no-package-lock']
  await mustRun('npm', ['install', ...options], { cwd: folder })
}

/** Runs each consumer application; resolves to their names. Throws with what one says that fails. */
export async function runConsumers(project: string): Promise<string[]> {
  const kinds = (await readdir(templates, { withFileTypes: true })).filter((entry) => entry.isDirectory())
  const names = kinds.map((entry) => entry.name).filter((name) => !SHARED.includes(name))
  for (const name of names) await runConsumer(join(project, name))
  return names
}

async function runConsumer(cwd: string): Promise<void> {
  const isTypeScript = (await readdir(cwd)).includes('tsconfig.json')
  if (isTypeScript) await mustRun(process.execPath, [binary('typescript', 'tsc'), '-p', '.'], { cwd })
  // NODE_OPTIONS of this process may preload modules that a consumer must not have.
  const env = { NODE_OPTIONS: undefined }
  await mustRun(process.execPath, [isTypeScript ? 'out/main.js' : 'main.js'], { cwd, env })
}

async function installedVersion(name: string, folder: string = join(root, 'scripts')): Promise<string> {
  const manifest = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
