import { cp, mkdir, readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { binary, mustRun, root, run } from '../run.ts'
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

/** What the consumer `testing` uses beside packages of this repository and Jest, which only it has. */
const FOR_TESTS = ['@opentelemetry/api', 'vitest', 'ws']

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
  const forTests = tarballs.filter(({ name }) => ['@otel-ws/core', '@otel-ws/testing', '@otel-ws/ws'].includes(name))
  await addDependencies(join(folder, 'testing'), await dependenciesOn(forTests, FOR_TESTS))
}

async function dependenciesOn(tarballs: readonly Tarball[], others = OTHERS): Promise<Record<string, string>> {
  const dependencies: Record<string, string> = {}
  for (const { name, file } of tarballs) dependencies[name] = `file:${file}`
  for (const name of others) dependencies[name] = await installedVersion(name)
  return dependencies
}

async function createNestProject(
  folder: string,
  nest: string,
  others: Readonly<Record<string, string>>,
): Promise<void> {
  await cp(join(templates, 'nest'), folder, { recursive: true })
  const dependencies: Record<string, string> = {
    ...others,
    'socket.io-client': await installedVersion('socket.io-client'),
  }
  for (const name of NEST) dependencies[name] = await installedVersion(name, nest)
  await addDependencies(folder, dependencies)
}

/** Adds dependencies to those of the manifest in a folder, and installs them there. */
async function addDependencies(folder: string, dependencies: Readonly<Record<string, string>>): Promise<void> {
  const file = join(folder, 'package.json')
  const manifest = JSON.parse(await readFile(file, 'utf8')) as { dependencies?: Record<string, string> }
  const all = { ...manifest.dependencies, ...dependencies }
  await writeFile(file, JSON.stringify({ ...manifest, dependencies: all }))
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

/** The tests of the consumer `testing`: arguments of Node that run them with each test runner. */
const TEST_RUNNERS: Readonly<Record<string, readonly string[]>> = {
  Vitest: ['node_modules/vitest/vitest.mjs', 'run', 'vitest.test.mjs'],
  Jest: ['node_modules/jest/bin/jest.js', '--rootDir', '.', 'jest.test.cjs'],
  'node:test': ['--test', 'node.test.cjs'],
}

/** Runs an application's tests with each test runner, and again with a handler that loses its trace: they must fail then. */
async function runTests(cwd: string): Promise<void> {
  for (const [runner, args] of Object.entries(TEST_RUNNERS)) {
    const env = { NODE_OPTIONS: undefined, NODE_TEST_CONTEXT: undefined, LOSE_TRACE: undefined }
    await mustRun(process.execPath, args, { cwd, env })
    const { code, output } = await run(process.execPath, args, { cwd, env: { ...env, LOSE_TRACE: '1' } })
    if (code !== 0 && output.includes("to be a child of span 'process order'")) continue
    throw new Error(`${runner} does not find a handler that loses its trace; it ended with ${code}\n${output}`)
  }
}

async function runConsumer(cwd: string): Promise<void> {
  if ((await readdir(cwd)).includes('node.test.cjs')) return runTests(cwd)
  const isTypeScript = (await readdir(cwd)).includes('tsconfig.json')
  if (isTypeScript) await mustRun(process.execPath, [binary('typescript', 'tsc'), '-p', '.'], { cwd })
  // NODE_OPTIONS of this process may preload modules that a consumer must not have.
  const env = { NODE_OPTIONS: undefined }
  await mustRun(process.execPath, [isTypeScript ? 'out/main.js' : 'main.js'], { cwd, env })
}

/** The version of a package that this repository is tested with. */
export async function installedVersion(name: string, folder: string = join(root, 'scripts')): Promise<string> {
  const manifest = await readFile(join(folder, 'node_modules', name, 'package.json'), 'utf8')
  return (JSON.parse(manifest) as { version: string }).version
}
