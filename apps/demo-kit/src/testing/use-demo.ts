import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, expect } from 'vitest'
import { DemoProcess } from './demo-process.ts'

/** Starts a demo with further arguments of its command line, and further variables of the environment. */
export type StartDemo = (args?: readonly string[], env?: NodeJS.ProcessEnv) => DemoProcess

/** Returns a function that starts a demo with these arguments; what still runs when the tests of the file are over is killed. */
export function useDemo(...common: readonly string[]): StartDemo {
  const processes: DemoProcess[] = []
  afterAll(() => {
    for (const { child } of processes) child.kill('SIGKILL')
  })
  return (args = [], env = {}) => {
    const started = new DemoProcess([...common, ...args], env)
    processes.push(started)
    return started
  }
}

/** Interrupts a demo and expects it to drain. */
export async function interrupt(run: DemoProcess): Promise<void> {
  run.child.kill('SIGINT')
  await expectNothingLost(run)
}

/** Expects a demo to end well, every span that it started to be ended and printed, and every error to be counted. */
export async function expectNothingLost(run: DemoProcess): Promise<void> {
  const exitCode = await run.exited
  // On a loaded machine a collection takes longer than its interval; the next one has the same sums.
  expect(run.stderr.replaceAll(/^.*metrics export timed out.*\n/gm, '')).toBe('')
  expect(exitCode).toBe(0)
  const rows = run.rows()
  expect(rows).not.toEqual([])
  const [started, ended, printed, traces, errors] = run.total()
  expect([started, ended, printed]).toEqual([rows.length, rows.length, rows.length])
  expect(traces).toBeGreaterThanOrEqual(new Set(rows.map((row) => row.trace)).size)
  expect(errors).toBe(rows.filter((row) => row.details.startsWith('ERROR ')).length)
}

/** Expects lines that fit, without colours: no terminal is there. */
export function expectPlainLines(run: DemoProcess): void {
  for (const line of run.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(140)
  expect(run.stdout).not.toContain('\u001b')
}

/** Expects a demo to say that its port is taken, and to end. */
export async function expectPortTaken(demo: StartDemo, name: string): Promise<void> {
  const other = createServer().listen(0, '127.0.0.1')
  await once(other, 'listening')
  const { port } = other.address() as AddressInfo
  try {
    const run = demo(['--port', String(port)])
    expect(await run.exited).toBe(1)
    expect(run.stderr).toBe(`${name} could not start: listen EADDRINUSE: address already in use 127.0.0.1:${port}\n`)
  } finally {
    other.close()
  }
}
