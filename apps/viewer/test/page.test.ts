import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { ChatTraffic } from './support/chat-traffic.ts'
import { post, traceRequest } from './support/client.ts'

let browser: Browser
let viewer: Viewer
let chat: ChatTraffic
let page: Page
let problems: string[]

beforeAll(async () => {
  browser = await launchBrowser()
}, 60_000)
afterAll(() => browser.close())

beforeEach(async () => {
  viewer = await startViewer({ port: 0, maxSpans: 400 })
  chat = new ChatTraffic({ endpoint: viewer.endpoint, service: 'chat' })
  page = await browser.newPage({ viewport: { width: 1280, height: 760 }, locale: 'en-GB', colorScheme: 'dark' })
  page.setDefaultTimeout(10_000)
  problems = []
  page.on('pageerror', (error) => problems.push(error.message))
  // Also what the content security policy refused is printed here.
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
})
afterEach(async () => {
  await page.close()
  await chat.telemetry.shutdown()
  await viewer.close()
  expect(problems).toEqual([])
})

/** Exports and waits until the page has it. */
async function exported(spans: number): Promise<void> {
  await chat.telemetry.flush()
  await page
    .getByTestId('kept')
    .filter({ hasText: `${spans} of ${spans} span` })
    .waitFor()
}

const rows = () => page.locator('.list tbody tr')

test('traces arrive while the page is open, and their links are followed both ways', async () => {
  await page.goto(viewer.url)
  await page.getByText('Waiting for the first trace').waitFor()
  const at = Date.now() - 1000
  const connection = chat.connect('00000000000000c1', '/chat/:room', at)
  const within = connection.receive({ at: at + 50, name: 'chat.message', duration: 8 })
  chat.broadcast('chat.message', at + 52, 3, within)
  await exported(4)
  expect(await rows().locator('.name a').allTextContents()).toEqual(['chat.message', 'GET /chat/:room'])

  await rows().nth(0).click()
  const pane = page.getByRole('region', { name: 'Trace', exact: true })
  await pane.getByRole('option').nth(1).waitFor()
  expect(await pane.getByRole('option').allTextContents()).toEqual([
    'processchat.message↔ 18 ms',
    'broadcastchat.messageto 3 here475 µs',
  ])
  // From the message to the handshake that it links to, and back again.
  await page.getByTestId('facts').getByRole('link', { name: 'GET /chat/:room' }).click()
  await pane.getByRole('heading', { name: 'GET /chat/:room' }).first().waitFor()
  await page.getByTestId('facts').getByText('Linked from').waitFor()
  await page.getByTestId('facts').getByRole('link', { name: 'process chat.message' }).click()
  await pane.getByRole('heading', { name: 'process chat.message' }).first().waitFor()
  await page.goBack()
  await pane.getByRole('heading', { name: 'GET /chat/:room' }).first().waitFor()
})

test('a newcomer finds the slow handler, the failing one, the rejected login and the dropped client', async () => {
  const at = Date.now() - 60_000
  const one = chat.connect('00000000000000c1', '/chat/:room', at)
  const two = chat.connect('00000000000000c2', '/chat/:room', at)
  chat.reject('/chat/:room', at + 10, 401)
  for (let index = 0; index < 5; index++) one.receive({ at: at + 100 * index, name: 'chat.message', duration: 2 })
  one.receive({ at: at + 900, name: 'chat.summarize', duration: 900 })
  two.receive({ at: at + 950, name: 'order.place', duration: 5, error: 'ValidationError' })
  two.close(at + 9000, { code: 1006, category: 'timeout', initiator: 'local', error: 'timeout' })
  await page.goto(viewer.url)
  await exported(13)
  const cards = page.getByRole('region', { name: 'Highlights' }).locator('.card-main')
  expect(await cards.locator('strong').allTextContents()).toEqual([
    'chat.summarize',
    'order.place',
    '401 /chat/:room',
    'timeout (1006)',
    'None',
    'Not known',
  ])

  const matching = (text: RegExp) => page.getByTestId('matching').filter({ hasText: text }).waitFor()
  await cards.nth(0).click()
  await matching(/^1 of 11 traces/)
  expect(await rows().locator('.name a').allTextContents()).toEqual(['chat.summarize'])
  expect(await rows().locator('.magnitude').allTextContents()).toEqual(['900 ms'])
  await cards.nth(1).click()
  await page.locator('.list .error-text').filter({ hasText: 'ValidationError' }).waitFor()
  expect(await rows().locator('.name a').allTextContents()).toEqual(['order.place'])
  await cards.nth(2).click()
  await page.locator('.list .error-text').filter({ hasText: 'rejected 401' }).waitFor()
  expect(await rows().locator('.name a').allTextContents()).toEqual(['GET /chat/:room'])
  await cards.nth(3).click()
  await matching(/^1 of 3 connections/)
  expect(await rows().locator('.state-tag').allTextContents()).toEqual(['dropped'])
  expect(await rows().locator('.close').allTextContents()).toEqual(['timeout 1006 by local'])

  // A handshake that was rejected has a row too, though it has no connection.
  await page.locator('.chip').click()
  await page.getByLabel('State').selectOption('rejected')
  await rows().locator('.state-tag.rejected').waitFor()
  expect(await rows().locator('.close').allTextContents()).toEqual(['401'])
  await rows().first().click()
  await page.getByRole('link', { name: 'its trace →' }).click()
  await page.getByTestId('facts').getByRole('heading', { name: 'GET /chat/:room' }).waitFor()
})

test('a connection opens to its timeline, whose marks lead to their traces', async () => {
  const at = Date.now() - 10_000
  const connection = chat.connect('00000000000000c1', '/chat/:room', at)
  for (let index = 0; index < 40; index++) {
    connection.receive({ at: at + 100 + index * 200, name: `step.${index}`, duration: 1, size: 10 })
  }
  connection.receive({ at: at + 9000, name: 'order.place', duration: 300, error: 'TypeError' })
  await page.goto(`${viewer.url}/#/connections`)
  await exported(43)
  await rows().nth(0).click()
  const pane = page.getByRole('region', { name: 'Connection', exact: true })
  await pane.getByRole('img', { name: 'Timeline: 43 marks' }).waitFor()
  expect(await pane.locator('.mark.process').count()).toBe(41)
  expect(await pane.locator('.mark.error').count()).toBe(1)

  // What happens next is drawn without asking.
  connection.send('chat.reply', at + 9500, 64, undefined)
  await exported(44)
  await pane.getByRole('img', { name: 'Timeline: 44 marks' }).waitFor()
  expect(await pane.locator('.mark.send').count()).toBe(1)

  await pane.locator('.mark.error').click()
  await pane.locator('tbody tr[aria-selected=true]').filter({ hasText: 'order.place' }).waitFor()
  await page.keyboard.press('Enter')
  await page
    .getByRole('region', { name: 'Trace', exact: true })
    .getByRole('heading', { name: 'process order.place' })
    .first()
    .waitFor()
  await page.getByTestId('to-connection').click()
  await pane.getByRole('img', { name: 'Timeline: 44 marks' }).waitFor()
  await pane.getByRole('link', { name: 'step.39' }).click()
  await page.getByRole('heading', { name: 'process step.39' }).first().waitFor()
})

test('a list is still while the pointer is on it, and answers a new question at once', async () => {
  await page.goto(viewer.url)
  const connection = chat.connect('00000000000000c1', '/chat/:room', Date.now())
  await exported(2)
  await rows().first().hover()
  connection.receive({ at: Date.now(), name: 'later', duration: 1 })
  await exported(3)
  await page.getByText('held while you point').waitFor()
  expect(await rows().locator('.name a').allTextContents()).toEqual(['GET /chat/:room'])
  await page.keyboard.press('/')
  await page.keyboard.type('later')
  await rows().locator('.name a').filter({ hasText: 'later' }).waitFor()
  expect(await rows().count()).toBe(1)
})

test('the page is drawn whatever the browser says its language is', async () => {
  await page.addInitScript("Object.defineProperty(navigator, 'language', { value: 'en-US@posix', configurable: true })")
  await page.goto(viewer.url)
  await page.getByText('Waiting for the first trace').waitFor()
})

test('metrics are drawn', async () => {
  await page.goto(`${viewer.url}/#/metrics`)
  await page.getByText('Waiting for the first metrics').waitFor()
  const at = Date.now()
  const connection = chat.connect('00000000000000c1', '/chat/:room', at)
  connection.receive({ at, name: 'chat.summarize', duration: 700 })
  connection.receive({ at, name: 'order.place', duration: 3, error: 'TypeError' })
  chat.ping(2)
  await chat.telemetry.flush()
  const handlers = page.getByRole('region', { name: 'Handlers' }).locator('tbody tr')
  await handlers.first().waitFor()
  expect(await handlers.locator('td:first-child').allTextContents()).toEqual(['chat.summarize', 'order.place'])
  expect(await handlers.nth(1).locator('.bad').textContent()).toBe('1 of 1')
  await page.locator('[data-panel=active] canvas').waitFor()
  await page.locator('[data-panel=active] .chart-legend').filter({ hasText: '/chat/:room 1' }).waitFor()
  await page.locator('[data-panel=latency] canvas').waitFor()
  await page.locator('[data-panel=rtt] canvas').waitFor()
  await page.locator('[data-panel=closes]').getByText('nothing received').waitFor()
})

test('nothing that is received is taken for HTML', async () => {
  const hostile = '<img src=x onerror="document.title=\'pwned\'"><script>document.title="pwned"</script>'
  const attributes = [
    { key: 'websocket.connection.id', value: { stringValue: hostile } },
    { key: 'websocket.route', value: { stringValue: hostile } },
    { key: 'websocket.handshake.outcome', value: { stringValue: 'rejected' } },
    { key: hostile, value: { stringValue: hostile } },
    { key: '__proto__', value: { stringValue: hostile } },
  ]
  await page.goto(viewer.url)
  const status = { code: 2, message: hostile }
  await post(viewer, 'traces', traceRequest({ name: hostile, attributes, status }))
  await rows().first().click()
  await page.getByTestId('facts').getByRole('heading', { name: hostile }).waitFor()
  expect(await page.getByTestId('facts').locator('tr').count()).toBe(6)
  await page.getByTestId('to-connection').click()
  await page.getByRole('region', { name: 'Connection', exact: true }).locator('.mark').waitFor()
  expect(await page.locator('#app img').count()).toBe(1)
  expect(await page.title()).toMatch(/ · Connections · otel-ws viewer$/)
})

test('the page says when the oldest was dropped, and when requests were refused', async () => {
  await page.goto(viewer.url)
  const connection = chat.connect('00000000000000c1', '/chat/:room', Date.now())
  for (let index = 0; index < 500; index++) connection.receive({ at: Date.now(), name: 'm', duration: 1 })
  await chat.telemetry.flush()
  await page
    .getByTestId('kept')
    .filter({ hasText: '400 of 502 spans kept: full, the oldest 102 were dropped' })
    .waitFor()
  await post(viewer, 'traces', 'nonsense')
  await page
    .getByTestId('refused')
    .filter({ hasText: '1 request refused: the body is not a valid OTLP JSON traces request' })
    .waitFor()
})

test('it is used from the keyboard', async () => {
  const at = Date.now() - 1000
  const connection = chat.connect('00000000000000c1', '/chat/:room', at)
  connection.receive({ at: at + 10, name: 'first', duration: 1 })
  connection.receive({ at: at + 20, name: 'second', duration: 1 })
  await page.goto(viewer.url)
  await exported(4)
  await rows().nth(2).waitFor()
  const heading = (name: string) => page.locator('.pane-head').getByRole('heading', { name }).waitFor()
  await page.keyboard.press('j')
  await heading('process second')
  await page.keyboard.press('ArrowDown')
  await heading('process first')
  await page.keyboard.press('k')
  await heading('process second')
  // Into the trace, along the link to its handshake, and back.
  await page.keyboard.press('Enter')
  await page.getByTestId('facts').getByRole('link', { name: 'GET /chat/:room' }).and(page.locator(':focus')).waitFor()
  await page.keyboard.press('Enter')
  await heading('GET /chat/:room')
  await page.goBack()
  await heading('process second')
  await page.keyboard.press('Escape')
  await page.locator('.pane').waitFor({ state: 'detached' })
  await page.keyboard.press('/')
  await page.keyboard.type('first')
  await page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 3 traces/ })
    .waitFor()
  await page.keyboard.press('Escape')
  await page.keyboard.press('2')
  await page.locator('.connections tbody tr').waitFor()
  await page.keyboard.press('j')
  await page.locator('.timeline .mark').first().waitFor()
  await page.keyboard.press('ArrowRight')
  await page.locator('.messages tr[aria-selected=true]').filter({ hasText: 'GET /chat/:room' }).waitFor()
  await page.keyboard.press('?')
  await page.getByRole('dialog').waitFor()
  await page.keyboard.press('Escape')
  await page.getByRole('dialog').waitFor({ state: 'detached' })
  await page.keyboard.press('t')
  await page.locator('html[data-theme=light]').waitFor()
})

test('while it is paused nothing moves, and afterwards everything is there', async () => {
  await page.goto(viewer.url)
  const connection = chat.connect('00000000000000c1', '/chat/:room', Date.now())
  await exported(2)
  await page.getByRole('button', { name: 'Pause' }).click()
  await page.getByRole('status').filter({ hasText: 'Paused' }).waitFor()
  connection.receive({ at: Date.now(), name: 'm', duration: 1 })
  await chat.telemetry.flush()
  // A page of its own shows that the viewer has it, and how long an update takes to arrive.
  const other = await browser.newPage({ locale: 'en-GB' })
  await other.goto(viewer.url)
  await other.getByTestId('kept').filter({ hasText: '3 of 3 spans' }).waitFor()
  await other.close()
  expect(await page.getByTestId('kept').textContent()).toContain('2 of 2 spans')
  await page.getByRole('button', { name: 'Resume' }).click()
  await page.getByTestId('kept').filter({ hasText: '3 of 3 spans' }).waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget everything' }).click()
  await page.getByText('Waiting for the first trace').waitFor()
})
