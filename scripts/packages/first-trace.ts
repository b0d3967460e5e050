import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { delimiter, dirname, join } from 'node:path'
import { binary, mustRun, root } from '../run.ts'
import { installedVersion } from './consumers.ts'
import type { Tarball } from './tarballs.ts'

/** The section of the root README that a user pastes into a terminal and an editor. */
interface FirstTrace {
  readonly create: string
  /** Names of the packages that the install line names. */
  readonly packages: readonly string[]
  readonly file: string
  readonly code: string
  readonly start: string
  readonly visit: string
  /** Names of the spans that it says are printed, sorted. */
  readonly spans: readonly string[]
}

/** Port in the README. The check takes one that is free. */
const PORT = '3000'

/**
 * Runs the first trace of the root README as it is pasted, from packed packages in an empty project, on each version of Node:
 * under the file name of the README, and in a project of ES modules as `.js` and, where Node runs it, as `.ts`. Resolves to
 * what was run. Throws if the spans that are printed are not those that the README names, or if it does not end with 0.
 */
export async function checkFirstTrace(folder: string, tarballs: readonly Tarball[]): Promise<string[]> {
  const trace = parse(await readFile(join(root, 'README.md'), 'utf8'))
  await mkdir(folder, { recursive: true })
  await mustRun('sh', ['-c', trace.create], { cwd: folder })
  await install(folder, trace, tarballs)
  const performed: string[] = []
  const perform = async (node: string, file: string): Promise<void> => {
    await writeFile(join(folder, file), trace.code)
    await run(folder, node, file, trace)
    performed.push(`${file} on Node ${await versionOf(node)}`)
  }
  const nodes = [process.execPath, ...otherNodes()]
  for (const node of nodes) await perform(node, trace.file)
  await mustRun('npm', ['pkg', 'set', 'type=module'], { cwd: folder })
  for (const node of nodes) {
    await perform(node, 'server.js')
    if (runsTypeScript(await versionOf(node))) await perform(node, 'server.ts')
  }
  return performed
}

/** Node 24, where it is installed: it is an optional dependency. */
function otherNodes(): string[] {
  try {
    return [binary('n24', 'node')]
  } catch {
    return []
  }
}

function parse(readme: string): FirstTrace {
  const section = readme.split('\n## The first trace\n')[1]?.split('\n## ')[0] ?? ''
  const [setUp, start, visit] = [...section.matchAll(/^```sh\n(.*?)\n```$/gms)].map((match) => match[1] ?? '')
  const [, file] = /^Save this as `(.*?)`:$/m.exec(section) ?? []
  const [, code] = /^```ts\n(.*?)^```$/ms.exec(section) ?? []
  const [, tree] = /^```text\n(.*?)\n```$/ms.exec(section) ?? []
  const [create, installLine] = setUp?.split('\n') ?? []
  const packages = installLine?.replace(/^npm install /, '').split(' ')
  if (!(create && packages && start && visit && file && code && tree)) {
    throw new Error('the README has no first trace that can be pasted')
  }
  const spans = tree.split('\n').map((line) => line.replace(/^[└─ ]+/, '').split(/ {2,}/)[0] ?? '')
  return { create, packages, file, code, start, visit, spans: spans.sort() }
}

/** As the README's install line, with the packed packages in place of published ones. */
async function install(folder: string, { packages }: FirstTrace, tarballs: readonly Tarball[]): Promise<void> {
  const others = packages.filter((name) => !tarballs.some((tarball) => tarball.name === name))
  const versions = await Promise.all(others.map(async (name) => `${name}@${await installedVersion(name)}`))
  const needed = closure(packages, tarballs)
  const options = ['--prefer-offline', '--ignore-scripts', '--no-audit', '--no-fund']
  await mustRun('npm', ['install', ...options, ...needed.map(({ file }) => file), ...versions], { cwd: folder })
}

/** The packed packages among these, and those that they depend on. */
function closure(names: readonly string[], tarballs: readonly Tarball[]): Tarball[] {
  const found = new Set<Tarball>()
  const add = (name: string): void => {
    const tarball = tarballs.find((one) => one.name === name)
    if (tarball === undefined || found.has(tarball)) return
    found.add(tarball)
    for (const dependency of tarball.dependencies) add(dependency)
  }
  for (const name of names) add(name)
  return [...found]
}

async function run(folder: string, node: string, file: string, trace: FirstTrace): Promise<void> {
  const port = await freePort()
  await writeFile(join(folder, file), trace.code.replaceAll(PORT, port))
  const env = { ...process.env, NODE_OPTIONS: undefined, PATH: `${dirname(node)}${delimiter}${process.env['PATH']}` }
  const shell = (command: string): ChildProcess => spawn('sh', ['-c', `exec env ${command}`], { cwd: folder, env })
  const server = shell(trace.start.replace(trace.file, file))
  let output = ''
  const collect = (chunk: Buffer): void => {
    output += chunk.toString()
  }
  server.stdout?.on('data', collect)
  server.stderr?.on('data', collect)
  const ended = once(server, 'close') as Promise<[number | null]>
  while (!output.includes('listening')) {
    const event = await Promise.race([once(server.stdout as NodeJS.ReadableStream, 'data'), ended])
    if (event.length === 2) throw new Error(`${file} has ended before it listened:\n${output}`)
  }
  // Without it Node 20 has no WebSocket, as the README says.
  const flag = (await versionOf(node)).startsWith('20.') ? '--experimental-websocket ' : ''
  await mustRun('sh', ['-c', trace.visit.replace('node -e', `node ${flag}-e`).replace(PORT, port)], {
    cwd: folder,
    env,
  })
  server.kill('SIGINT')
  const [code] = await ended
  const names = [...output.matchAll(/^ {2}name: '(.*)',$/gm)].map((match) => match[1] ?? '').sort()
  if (code === 0 && names.join() === trace.spans.join()) return
  throw new Error(`${file} ended with ${code} and printed ${names.join(', ')}; the README: ${trace.spans}\n${output}`)
}

async function freePort(): Promise<string> {
  const server = createServer().listen(0)
  await once(server, 'listening')
  const { port } = server.address() as { port: number }
  await new Promise((resolve) => server.close(resolve))
  return String(port)
}

const versions = new Map<string, string>()

async function versionOf(node: string): Promise<string> {
  const version = versions.get(node) ?? (await mustRun(node, ['--print', 'process.versions.node'])).trim()
  versions.set(node, version)
  return version
}

/** Node removes types by itself from 22.18 on. */
function runsTypeScript(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > 22 || (major === 22 && minor >= 18)
}
