import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** The repository's root folder. */
export const root: string = fileURLToPath(new URL('..', import.meta.url)).replace(/[\\/]$/, '')

/** Exit code and output of a command. */
export interface Outcome {
  readonly code: number
  readonly output: string
}

/** Runs a command and resolves when it has ended, whatever its exit code. */
export function run(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: Record<string, string | undefined>; input?: string } = {},
): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: options.cwd ?? root,
      env: { ...process.env, ...options.env },
      stdio: 'pipe',
    })
    let output = ''
    const collect = (chunk: Buffer): void => {
      output += chunk.toString()
    }
    child.stdin.on('error', () => {})
    child.stdin.end(options.input)
    child.stdout.on('data', collect)
    child.stderr.on('data', collect)
    child.on('error', reject)
    child.on('close', (code) => resolve({ code: code ?? 1, output }))
  })
}

/** Runs a command and resolves to its output. Throws with the output when it fails. */
export async function mustRun(...args: Parameters<typeof run>): Promise<string> {
  const { code, output } = await run(...args)
  if (code !== 0) throw new Error(`${args[0]} ${args[1].join(' ')} ended with ${code}\n${output.trim()}`)
  return output
}

/** Path of a command that an installed package brings. */
export function binary(name: string, command: string = name): string {
  const require = createRequire(import.meta.url)
  const manifestPath = findManifest(require.resolve.paths(name) ?? [], name)
  const manifest = require(manifestPath) as { bin?: string | Record<string, string> }
  const relative = typeof manifest.bin === 'string' ? manifest.bin : manifest.bin?.[command]
  if (relative === undefined) throw new Error(`${name} has no command ${command}`)
  return join(dirname(manifestPath), relative)
}

function findManifest(folders: readonly string[], name: string): string {
  const require = createRequire(import.meta.url)
  for (const folder of folders) {
    try {
      return require.resolve(join(folder, name, 'package.json'))
    } catch {}
  }
  throw new Error(`${name} is not installed`)
}
