import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'

// The whole way: real servers, their real clients, the real instrumentation, the real exporter, a real browser.
const root = fileURLToPath(new URL('../../../', import.meta.url))
let viewer: Viewer
let browser: Browser
let page: Page
/** Rejects when the demo ends before its time, so that no test waits for a page that cannot come. */
let died: Promise<never>

beforeAll(async () => {
  browser = await launchBrowser()
}, 60_000)
afterAll(() => browser.close())

/** Runs a demo that exports to a viewer of the tests', with a page open, for the tests of a block. */
function watching(name: string): void {
  let demo: ChildProcess
  beforeAll(async () => {
    viewer = await startViewer({ port: 0 })
    page = await browser.newPage({ viewport: { width: 1280, height: 760 }, locale: 'en-GB' })
    page.setDefaultTimeout(40_000)
    demo = spawn(process.execPath, ['scripts/demo.mjs', name, '--port', '0', '--no-viewer', '--for', '120s'], {
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
    await page.close()
    await viewer.close()
  }, 30_000)
}

describe('one server', () => {
  watching('fastify')

  test('while the demo runs a newcomer sees what is slow, what fails, who was rejected and who was dropped', async () => {
    await page.goto(viewer.url)
    const cards = page.getByRole('region', { name: 'Highlights' }).locator('.card-main')
    await Promise.race([died, page.locator('.card.slow').waitFor()])
    await page.locator('.card.bad').nth(2).waitFor()
    expect((await cards.locator('strong').allTextContents()).slice(0, 4)).not.toContain('None')

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
})

describe('three nodes', () => {
  watching('socketio')

  test('a broadcast is one trace over all nodes, and a connection shows its node, its user and its peer', async () => {
    await page.goto(`${viewer.url}/#/traces?q=process%20deliver`)
    await Promise.race([died, page.locator('.traces tbody tr').first().waitFor()])
    await page.locator('.traces tbody tr').first().click()
    const spans = page.getByRole('region', { name: 'Trace', exact: true }).getByRole('option')
    // The node that the message came to, and the two others; each exports when it likes.
    await page.locator('.legend > span').nth(2).waitFor()
    expect((await page.locator('.legend > span').allTextContents()).sort()).toEqual(['node-1', 'node-2', 'node-3'])
    expect(await spans.filter({ hasText: /^deliver/ }).count()).toBeGreaterThanOrEqual(2)

    await page.getByTestId('to-connection').click()
    const facts = page.getByRole('region', { name: 'Connection', exact: true }).locator('.sub')
    await facts.getByText(/^socketio-chat node-[123]$/).waitFor()
    await facts.getByText(/^from 127\.0\.0\.1:\d+$/).waitFor()
    await facts.locator('b').first().waitFor()
  }, 60_000)

  test('a login that a namespace rejects and a client that vanishes are named', async () => {
    const cards = page.getByRole('region', { name: 'Highlights' }).locator('.card-main')
    await Promise.race([died, cards.nth(2).filter({ hasText: 'CONNECT /: Error' }).waitFor()])
    await Promise.race([died, cards.nth(3).filter({ hasText: 'abnormal (1006)' }).waitFor()])
    await cards.nth(2).click()
    await page.locator('.list[aria-busy=false] .traces tbody tr').first().click()
    await page.getByTestId('facts').getByRole('heading', { name: 'CONNECT /' }).waitFor()
  }, 60_000)
})
