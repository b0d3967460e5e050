import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { startViewer } from '../src/index.ts'
import { post, traceRequest } from './support/client.ts'

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

test('the command serves the page, says where, and ends with a signal', async () => {
  const { started, ended } = run('--port', '0', '--grpc-port', '0', '--max-spans', '100')
  let text = ''
  for await (const chunk of started.stdout) {
    text += chunk
    if (text.includes('gRPC:')) break
  }
  const [, url] = /^Page: {2}(http:\/\/127\.0\.0\.1:\d+)$/m.exec(text)!
  expect(text).toContain(`OTEL_EXPORTER_OTLP_ENDPOINT=${url}`)
  expect(await (await fetch(url!)).text()).toContain('otel-ws viewer')
  started.kill('SIGTERM')
  expect((await ended).code).toBe(0)
})

test.each([
  [['--port', 'x'], '--port takes a whole number, not "x"'],
  [['--max-megabytes', '-1'], '--max-megabytes takes a whole number, not "-1"'],
  [['--max-spans', '0'], 'maxSpans must be a whole number above 0, not 0'],
  [['--what'], "unknown option '--what'"],
])('%o is refused with a message', async (args, message) => {
  const { code, stderr } = await run(...args).ended
  expect(stderr).toContain(message)
  expect(stderr).not.toContain('    at ')
  expect(code).toBe(1)
})

test('--help names every flag', async () => {
  const { code, stdout } = await run('--help').ended
  expect(code).toBe(0)
  const flags = [
    'port',
    'grpc-port',
    'host',
    'token',
    'allow-host',
    'allow-origin',
    'max-spans',
    'max-megabytes',
    'store',
  ]
  for (const flag of flags) {
    expect(stdout).toContain(`--${flag} <`)
  }
})

test('-h and --version are answered, and an error says where the flags are listed', async () => {
  expect((await run('-h').ended).stdout).toContain('Usage: otel-ws-viewer')
  expect((await run('--version').ended).stdout).toMatch(/^\d+\.\d+\.\d+\n$/)
  expect((await run('--what').ended).stderr).toContain('--help')
})

test('a second viewer on a port says that one is running there', async () => {
  const first = await startViewer({ port: 0 })
  try {
    const { code, stderr } = await run('--port', String(first.port), '--grpc-port', 'off').ended
    expect(code).toBe(1)
    expect(stderr).toMatch(/A viewer \(otel-ws-viewer\/\d+\.\d+\.\d+\) is running already at http:\/\/127\.0\.0\.1:\d+/)
  } finally {
    await first.close()
  }
})

test('what listens to the network asks for a token, and prints it', async () => {
  const { started, ended } = run('--port', '0', '--grpc-port', 'off', '--host', '0.0.0.0')
  let text = ''
  for await (const chunk of started.stdout) {
    text += chunk
    if (text.includes('Token:')) break
  }
  const [, url] = /^Page: {2}(http:\S+)$/m.exec(text)!
  const token = new URL(url!).searchParams.get('token')
  expect(text).toContain(`OTEL_EXPORTER_OTLP_HEADERS="authorization=Bearer ${token}"`)
  expect((await fetch(new URL('/', url!))).status).toBe(401)
  expect((await fetch(url!, { redirect: 'manual' })).status).toBe(303)
  started.kill('SIGTERM')
  await ended
})

test('questions are answered by the viewer that runs', async () => {
  const viewer = await startViewer({ port: 0 })
  try {
    await post(viewer, 'traces', traceRequest({ name: 'GET /orders', status: { code: 2, message: 'boom' } }))
    await post(viewer, 'traces', traceRequest({ name: 'GET /fine' }))
    const failed = await run('traces', '--failed', '--json', '--url', viewer.url).ended
    expect(JSON.parse(failed.stdout).rows).toMatchObject([{ name: 'GET /orders', error: 'boom' }])
    const table = await run('traces', 'fine', '--url', viewer.url).ended
    expect(table.stdout).toMatch(/^TIME +DURATION +SPANS +SERVICES +TRACE +NAME\n.*GET \/fine\n$/)
    const { stdout, code } = await run('trace', JSON.parse(failed.stdout).rows[0].id, '--url', viewer.url).ended
    expect(stdout).toContain('! GET /orders: boom')
    expect(code).toBe(0)
    const none = await run('trace', 'f'.repeat(32), '--url', viewer.url).ended
    expect(none).toMatchObject({ code: 1, stderr: expect.stringContaining('not kept') })
  } finally {
    await viewer.close()
  }
})

test('where no viewer runs a question says how to start one', async () => {
  const { code, stderr } = await run('status', '--url', 'http://127.0.0.1:1').ended
  expect(code).toBe(1)
  expect(stderr).toContain('No viewer answers at http://127.0.0.1:1')
})
