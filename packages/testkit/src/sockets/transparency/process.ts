import { spawn } from 'node:child_process'
import { fileURLToPath } from 'node:url'

/** Scripts that end a process, in `child.ts`. */
export const processScripts = [
  'a handler throws',
  'a handler rejects',
  'an unhandled error event',
  'a handler exits',
  'nothing is left to do',
] as const

export type ProcessScript = (typeof processScripts)[number]
export type ChildTelemetry = 'none' | 'no SDK' | 'sampled'

/** Part of the paths of what is the application in these scripts. */
const APPLICATION = '/testkit/src/'

/** How a process ended that ran the script. */
interface Ended {
  readonly code: number | null
  readonly signal: string | null
  readonly stdout: string
  /** The line of the error that Node reports as its reason to exit. */
  readonly error: string | undefined
  /** The frames of the application at the top of that error's stack. */
  readonly frames: readonly string[]
}

export function runInProcess(module: string, script: ProcessScript, telemetry: ChildTelemetry): Promise<Ended> {
  const child = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('child.ts', import.meta.url)), module, script, telemetry],
    { cwd: fileURLToPath(new URL('../../..', import.meta.url)), stdio: ['ignore', 'pipe', 'pipe'] },
  )
  let stdout = ''
  let stderr = ''
  child.stdout.on('data', (chunk) => {
    stdout += chunk
  })
  child.stderr.on('data', (chunk) => {
    stderr += chunk
  })
  return new Promise((resolve, reject) => {
    child.on('error', reject)
    child.on('close', (code, signal) => {
      const lines = stderr.split('\n')
      const at = lines.findIndex((line) => /^\w*Error\b/.test(line))
      const stack = at === -1 ? [] : lines.slice(at + 1)
      const end = stack.findIndex((line) => !line.includes(APPLICATION))
      resolve({ code, signal, stdout, error: lines[at], frames: stack.slice(0, end) })
    })
  })
}
