import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'

const SCRIPT = fileURLToPath(new URL('../../../../scripts/demo.mjs', import.meta.url))

/** A row of a printed trace. */
export interface Row {
  /** Short id of its trace; rows below the first one of a trace inherit it. */
  readonly trace: string
  readonly kind: string
  readonly name: string
  /** How far below the root it stands. */
  readonly depth: number
  /** Milliseconds. */
  readonly duration: number
  readonly details: string
  /** Short id of the handshake's trace that it links to. */
  readonly handshake: string | undefined
}

/** A demo, running as a process of its own, and what it prints. */
export class DemoProcess {
  readonly child: ChildProcess
  readonly exited: Promise<number | null>
  stdout = ''
  stderr = ''

  constructor(args: readonly string[], env: NodeJS.ProcessEnv = {}) {
    this.child = spawn(process.execPath, [SCRIPT, ...args], { env: { ...process.env, ...env }, stdio: 'pipe' })
    this.child.stdout?.on('data', (chunk) => {
      this.stdout += chunk
    })
    this.child.stderr?.on('data', (chunk) => {
      this.stderr += chunk
    })
    this.exited = once(this.child, 'close').then(([code]) => code as number | null)
  }

  /** Resolves when standard output matches; rejects when the process ends before it does. */
  async printed(pattern: RegExp): Promise<void> {
    while (!pattern.test(this.stdout)) {
      const more = once(this.child.stdout as NodeJS.ReadableStream, 'data')
      const code = await Promise.race([more, this.exited])
      if (!Array.isArray(code) && !pattern.test(this.stdout)) {
        throw new Error(`the demo ended with ${code} before it printed ${pattern}: ${this.stdout}${this.stderr}`)
      }
    }
  }

  /** Interrupts the demo once standard output matches all patterns, and resolves when it has drained. */
  async stopOncePrinted(...patterns: readonly RegExp[]): Promise<void> {
    for (const pattern of patterns) await this.printed(pattern)
    this.child.kill('SIGINT')
    await this.exited
  }

  /** The traces printed so far, row by row. */
  rows(): Row[] {
    const rows: Row[] = []
    for (const line of this.stdout.split('\n')) {
      const match = ROW.exec(line)
      if (match === null) continue
      const [, trace = '', kind = '', name = '', value, unit, rest = ''] = match
      const [, details = '', handshake] = LINK.exec(rest) ?? []
      rows.push({
        trace: trace === '      ' ? (rows.at(-1)?.trace ?? '') : trace,
        kind: kind.trimEnd(),
        name: name.replace(/^[│├└─ ]+/, '').trimEnd(),
        depth: (/^[│├└─ ]+/.exec(name)?.[0].length ?? 0) / 3,
        duration: Number(value) * (unit === 'ms' ? 1 : 1_000),
        details: details.trim(),
        handshake,
      })
    }
    return rows
  }

  /** The numbers of the last line: spans started, ended and printed, traces, errors. */
  total(): number[] {
    const line = /^Total .*$/m.exec(this.stdout)?.[0] ?? ''
    return [...line.matchAll(/(\d+) (?:spans started|ended|printed|traces|with an error)/g)].map((match) =>
      Number(match[1]),
    )
  }

  /** The first number of each line of the summary, by what stands before it. */
  summary(): Map<string, number> {
    const text = this.stdout.slice(this.stdout.indexOf('\nSpans '))
    return new Map(
      [...text.matchAll(/^ {2}(\S.*?) {2,}(\d+)(?: |$)/gm)].map(([, name = '', count]) => [
        name.replace(/ +/g, ' '),
        Number(count),
      ]),
    )
  }
}

const ROW = /^\d\d:\d\d:\d\d\.\d{3} {2}([\da-f ]{6}) {2}([A-Z ]{8}) {2}(.+?) {2,}([\d.]+) (ms|s)(.*)$/
const LINK = /^(.*?)(?:-> link handshake ([\da-f]{6}))?(?: -> link (?!handshake)\w+ [\da-f]{6})*$/
