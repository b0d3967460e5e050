import { execFileSync } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'

/** A Node.js to run servers with. */
export interface Node {
  version: string
  executable: string
}

const ALIASES = ['n24']

/** The Node.js of these versions (`24`, `20,24.21.0`), or all at hand. Throws with those at hand when one is missing. */
export function chooseNodes(versions?: string): { nodes: Node[]; missing: string[] } {
  const { nodes, missing } = findNodes()
  if (versions === undefined) return { nodes, missing }
  const chosen = versions.split(',').map((version) => {
    const found = nodes.find((node) => node.version === version || node.version.startsWith(`${version}.`))
    if (found) return found
    throw new TypeError(`--node ${version}: at hand are ${nodes.map((node) => node.version).join(', ')}`)
  })
  return { nodes: chosen, missing: [] }
}

/** Every Node.js at hand: the one that runs this, then those of the optional dependencies. */
function findNodes(): { nodes: Node[]; missing: string[] } {
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
