import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'

// The whole way: a real server, its real clients, the real instrumentation, the real exporter, a real browser.
const root = fileURLToPath(new URL('../../../', import.meta.url))
let viewer: Viewer
let browser: Browser
let page: Page
let demo: ChildProcess
/** Rejects when the demo ends before its time, so that nobody waits for a page that cannot come. */
let died: Promise<never>

beforeAll(async () => {
  viewer = await startViewer({ port: 0 })
  browser = await launchBrowser()
  page = await browser.newPage({ viewport: { width: 1280, height: 760 }, locale: 'en-GB' })
  page.setDefaultTimeout(40_000)
  demo = spawn(process.execPath, ['scripts/demo.mjs', 'fastify', '--for', '60s'], {
    cwd: root,
    env: { ...process.env, OTEL_EXPORTER_OTLP_ENDPOINT: viewer.endpoint, OTEL_METRIC_EXPORT_INTERVAL: '1000' },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  died = once(demo, 'exit').then(([code]) => {
    throw new Error(`the demo ended with ${code}`)
  })
  died.catch(() => undefined)
}, 60_000)

afterAll(async () => {
  if (demo.exitCode === null) {
    const ended = once(demo, 'exit')
    demo.kill('SIGINT')
    await ended
  }
  await browser.close()
  await viewer.close()
}, 30_000)

test('while the demo runs a newcomer sees what is slow, what fails, who was rejected and who was dropped', async () => {
  await page.goto(viewer.url)
  const cards = page.getByRole('region', { name: 'Highlights' }).locator('.card-main')
  await Promise.race([died, page.locator('.card.slow').waitFor()])
  await page.locator('.card.bad').nth(2).waitFor()
  expect(await cards.locator('strong').allTextContents()).not.toContain('None')

  // The slow handler, and from its message to the handshake it came through.
  await cards.nth(0).click()
  await page.locator('section.list[aria-busy=false]').waitFor()
  await page.locator('.traces tbody tr').first().click()
  const facts = page.getByTestId('facts')
  await facts.getByText('Links to').waitFor()
  await facts.locator('.link-list a').first().click()
  await facts.getByText('websocket.handshake.outcome').waitFor()

  // From there to the connection, and from one of its marks back to a trace.
  await page.getByTestId('to-connection').click()
  const pane = page.getByRole('region', { name: 'Connection', exact: true })
  await pane.locator('.mark.process').first().waitFor()
  await pane.locator('.messages a').first().click()
  await page.getByRole('region', { name: 'Trace', exact: true }).getByRole('option').first().waitFor()
}, 60_000)

test('while the demo runs its metrics are drawn', async () => {
  await page.goto(`${viewer.url}/#/metrics?window=60`)
  for (const panel of ['active', 'messages', 'latency', 'closes', 'broadcast', 'rtt']) {
    await Promise.race([died, page.locator(`[data-panel=${panel}] canvas`).waitFor()])
  }
  await page.getByRole('region', { name: 'Handlers' }).locator('tbody tr').first().waitFor()
}, 60_000)
