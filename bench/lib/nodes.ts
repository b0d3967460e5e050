import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A Node.js to run servers with. */
export interface Node {
  version: string
  executable: string
}

const ALIASES = ['n24']

/** Every Node.js at hand: the one that runs this, then those of the optional dependencies. */
export function findNodes(): { nodes: Node[]; missing: string[] } {
  const nodes = [{ version: process.versions.node, executable: process.execPath }]
  const missing: string[] = []
  for (const alias of ALIASES) {
    const executable = executableOf(alias)
    if (executable === undefined) missing.push(alias)
    else nodes.push({ executable, version: versionOf(executable) })
  }
  return { nodes, missing }
}

function executableOf(alias: string): string | undefined {
  try {
    return join(dirname(createRequire(import.meta.url).resolve(`${alias}/package.json`)), 'bin', 'node')
  } catch {
    return undefined
  }
}

function versionOf(executable: string): string {
  return execFileSync(executable, ['--version'], { encoding: 'utf8' }).trim().slice(1)
}
