import { type ChildProcess, spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { launchBrowser } from '@otel-ws/testkit/browser'
import { ChatTraffic } from '../test/support/chat-traffic.ts'

// Fills a viewer in a process of its own with 100,000 spans, and prints what memory it takes and how long each view takes
// to open then: `pnpm build && node --import tsx scripts/full.ts`. It is the built one, as it is published: what runs it
// from source takes memory as well. Reads the memory from /proc, so it runs on Linux.
const spans = Number(process.argv[2] ?? 100_000)

const bin = fileURLToPath(new URL('../dist/bin.js', import.meta.url))
const flags = ['--port', '0', '--grpc-port', 'off', '--max-spans', String(spans), '--max-megabytes', '1024']
const child = spawn(process.execPath, [bin, ...flags], { stdio: ['ignore', 'pipe', 'inherit'] })
const url = await addressOf(child)
const empty = await memory(child)

const chat = new ChatTraffic({ endpoint: url, service: 'full' })
const names = ['chat.message', 'typing', 'room.join', 'chat.summarize', 'presence']
const begun = Date.now() - 600_000
const connections = Array.from({ length: 500 }, (_, index) =>
  chat.connect((0x1000 + index).toString(16).padStart(16, '0'), '/chat/:room', begun),
)
for (let turn = 0; turn < spans / 2 - connections.length; turn++) {
  const at = begun + (turn / spans) * 1_200_000
  const name = names[turn % names.length]!
  const connection = connections[turn % connections.length]!
  const error = turn % 50 === 0 ? { error: 'TypeError' } : {}
  const within = connection.receive({ at, name, duration: (turn * 7) % 23, ...error })
  connection.send(name, at + 1, 100, within)
  if (turn % 500 === 499) await chat.telemetry.flush()
}
await chat.telemetry.flush()
await chat.telemetry.shutdown()
const { spans: kept } = (await (await fetch(`${url}/api/status`)).json()) as { spans: number }
console.log(`${kept} spans kept: ${await memory(child)} MiB, ${empty} MiB of them when it was empty`)

const browser = await launchBrowser()
const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, locale: 'en-GB' })
const views = [
  ['traces', '.traces tbody tr'],
  ['traces?q=TypeError', '.traces .error-text'],
  ['connections', '.connections tbody tr'],
  ['connections?open=0000000000001000', '.timeline .mark'],
  ['sessions', '.sessions .nothing, .sessions tbody tr, .nothing'],
  ['logs', '.nothing'],
  ['metrics', '[data-panel=active] canvas'],
] as const
await page.goto(`${url}/#/help`)
await page.locator('header').waitFor()
for (const [view, shown] of views) {
  const time = await page.evaluate<number>(`new Promise((resolve) => {
    const started = performance.now()
    location.hash = '#/${view}'
    const look = () => document.querySelector(${JSON.stringify(shown)}) === null || document.querySelector('[aria-busy=true]') !== null
      ? requestAnimationFrame(look)
      : resolve(performance.now() - started)
    requestAnimationFrame(() => requestAnimationFrame(look))
  })`)
  console.log(`${view} opens within ${Math.round(time)} ms`)
}
console.log(`after that: ${await memory(child)} MiB`)
await browser.close()
child.kill('SIGTERM')

async function addressOf({ stdout }: ChildProcess): Promise<string> {
  let text = ''
  for await (const chunk of stdout!) {
    text += chunk
    const found = /^Page: {2}(\S+)$/m.exec(text)
    if (found !== null) return found[1]!
  }
  throw new Error('the viewer did not start')
}

/** Resident memory of a process, in MiB. */
async function memory({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8')
  return Math.round(Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0) / 1024)
}
