import { type ChildProcess, spawn, spawnSync } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { type Build, outDir, serverScript } from './build.ts'

import type { LoadCommands, ServerCommands } from './commands.ts'
import { Remote } from './remote.ts'

const LOAD_CORE = 0
const SERVER_CORE = 1

const hasTaskset = spawnSync('taskset', ['--version']).status === 0

/** The cores that processes are pinned to, in words. */
export const pinning: string =
  hasTaskset && availableParallelism() > 1
    ? `server on core ${SERVER_CORE}, load generator on core ${LOAD_CORE}`
    : `not pinned: ${hasTaskset ? 'one core only' : 'no taskset'}, expect noise`

const isPinned = !pinning.startsWith('not')

function start(node: string, core: number, script: string, flags: readonly string[]): ChildProcess {
  const command = [node, '--expose-gc', ...flags, script]
  const [file, ...args] = isPinned ? ['taskset', '-c', String(core), ...command] : command
  const env = Object.fromEntries(Object.entries(process.env).filter(([key]) => !/^(NODE_OPTIONS|OTEL_)/.test(key)))
  // A process group of its own: Ctrl-C reaches this process alone, which stops the others when it has what it needs.
  return spawn(file!, args, { env, stdio: ['ignore', 'inherit', 'inherit', 'ipc'], detached: true })
}

/** Starts one server under test. */
export function startServer(node: string, id: string, build: Build, flags: readonly string[]): Remote<ServerCommands> {
  return new Remote(start(node, SERVER_CORE, serverScript(id, build), flags))
}

/** Starts the load generator, always on the Node.js that runs this. */
export function startLoad(): Remote<LoadCommands> {
  return new Remote(start(process.execPath, LOAD_CORE, join(outDir, 'load.js'), []))
}
