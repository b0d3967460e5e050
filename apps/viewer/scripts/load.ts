import { fork } from 'node:child_process'
import { monitorEventLoopDelay } from 'node:perf_hooks'
import { parseArgs } from 'node:util'
import { launchBrowser } from '@otel-ws/testkit/browser'
import { startViewer } from '../src/index.ts'
import { recordTasks } from './task-times.ts'

// Exports spans at a steady rate from a process of its own, with a page open, and prints whether viewer and page keep up:
// `node --import tsx scripts/load.ts --rate 2000 --seconds 20 --view traces`. With
// `--connections 2 --view 'connections?open=0000000000001000'` it is one timeline that is drawn again and again.
const { values } = parseArgs({
  options: {
    rate: { type: 'string', default: '2000' },
    seconds: { type: 'string', default: '20' },
    connections: { type: 'string', default: '200' },
    view: { type: 'string', default: 'traces' },
  },
})
const rate = Number(values.rate)
const seconds = Number(values.seconds)

const viewer = await startViewer({ port: 0 })
const browser = await launchBrowser()
const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, locale: 'en-GB' })
await page.goto(`${viewer.url}/#/${values.view}`)
await page.waitForSelector('header')

/** Runs in the page: how long each frame took, and the tasks that kept it from answering. */
const observe = `
  globalThis.seen = { frames: [], longTasks: [] }
  let last = performance.now()
  const frame = (now) => {
    seen.frames.push(now - last)
    last = now
    requestAnimationFrame(frame)
  }
  requestAnimationFrame(frame)
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) seen.longTasks.push(entry.duration)
  }).observe({ entryTypes: ['longtask'] })
`
await page.evaluate(observe)
const tasksUntilNow = await recordTasks(page)

const delay = monitorEventLoopDelay({ resolution: 5 })
delay.enable()
const cpu = process.cpuUsage()
const begin = performance.now()
const sender = fork(
  new URL('./load-sender.ts', import.meta.url),
  [viewer.endpoint, values.rate, values.seconds, values.connections],
  {
    execArgv: ['--import', 'tsx'],
  },
)
const sent = await new Promise<number>((resolve, reject) => {
  sender.once('message', (message) => resolve(Number(message)))
  sender.once('exit', (code) => code !== 0 && reject(new Error(`the sender ended with ${code}`)))
})
const elapsed = (performance.now() - begin) / 1000
const used = process.cpuUsage(cpu)
delay.disable()

const tasks = await tasksUntilNow()

// The page is responsive when a click shows its effect at once, also under load.
const clickAt = performance.now()
const other = values.view.startsWith('connections') ? 'traces' : 'connections'
await page.locator(`nav a[href="#/${other}"]`).click()
await page.waitForSelector(`table.${other} tbody tr`)
const click = performance.now() - clickAt
const kept = await page.getByTestId('kept').textContent()
const { frames, longTasks } = await page.evaluate<{ frames: number[]; longTasks: number[] }>('seen')
const quantile = (list: number[], q: number) => [...list].sort((a, b) => a - b)[Math.floor(q * (list.length - 1))] ?? 0
const ms = (value: number) => `${value.toFixed(1)} ms`

console.log(
  `asked for ${rate} spans/s for ${seconds} s, sent ${sent} in ${elapsed.toFixed(1)} s: ${Math.round(sent / elapsed)}/s`,
)
console.log(`viewer: ${kept}`)
console.log(
  `viewer: ${((used.user + used.system) / 1e4 / elapsed).toFixed(1)} % of a core, ${Math.round(process.memoryUsage().heapUsed / 1e6)} MB heap`,
)
console.log(`viewer: event loop delay p99 ${ms(delay.percentile(99) / 1e6)}, max ${ms(delay.max / 1e6)}`)
console.log(
  `page: ${frames.length} frames, p50 ${ms(quantile(frames, 0.5))}, p99 ${ms(quantile(frames, 0.99))}, max ${ms(Math.max(...frames))}`,
)
const over = tasks.filter(({ busy }) => busy > 50).length
console.log(
  `page: ${over} tasks over 50 ms of the processor, longest ${ms(tasks[0]?.busy ?? 0)}; ${longTasks.length} that lasted longer, waiting included, longest ${ms(Math.max(0, ...longTasks))}`,
)
console.log(`page: a click shows its effect after ${ms(click)}`)
await browser.close()
await viewer.close()
