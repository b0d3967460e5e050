import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'

const bin = fileURLToPath(new URL('../src/bin.ts', import.meta.url))
let child: ChildProcess | undefined

function run(...args: string[]) {
  const started = spawn(process.execPath, ['--import', 'tsx', bin, ...args], { stdio: ['ignore', 'pipe', 'pipe'] })
  child = started
  const output = { stdout: '', stderr: '' }
  started.stdout.setEncoding('utf8').on('data', (text: string) => {
    output.stdout += text
  })
  started.stderr.setEncoding('utf8').on('data', (text: string) => {
    output.stderr += text
  })
  const ended = once(started, 'close').then(([code]) => ({ ...output, code: code as number | null }))
  return { started, ended }
}

afterEach(() => {
  child?.kill('SIGKILL')
})

test('the command serves the page, says where, and ends when it is told to', async () => {
  const { started, ended } = run('--port', '0', '--max-spans', '100')
  let text = ''
  for await (const chunk of started.stdout) {
    text += chunk
    if (text.includes('OTLP:')) break
  }
  const [, url] = /^Page: {2}(http:\/\/127\.0\.0\.1:\d+)$/m.exec(text)!
  expect(text).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${url}`)
  expect(await (await fetch(url!)).text()).toContain('otel-ws viewer')
  started.kill('SIGTERM')
  expect((await ended).code).toBe(0)
})

test.each([
  [['--port', 'x'], '--port takes a whole number, not "x"'],
  [['--max-megabytes', '-1'], "'--max-megabytes"],
  [['--max-spans', '0'], 'maxSpans must be a whole number above 0, not 0'],
  [['--what'], "Unknown option '--what'"],
])('%o is refused with a message', async (args, message) => {
  const { code, stderr } = await run(...args).ended
  expect(stderr).toContain(message)
  expect(stderr).not.toContain('    at ')
  expect(code).toBe(1)
})

test('--help tells every flag', async () => {
  const { code, stdout } = await run('--help').ended
  expect(code).toBe(0)
  for (const flag of ['port', 'host', 'allow-host', 'allow-origin', 'max-spans', 'max-megabytes']) {
    expect(stdout).toContain(`--${flag} <`)
  }
})
