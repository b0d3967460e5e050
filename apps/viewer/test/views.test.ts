import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { call, logsRequest, post, traceRequest } from './support/client.ts'

let browser: Browser
let viewer: Viewer
let page: Page
let problems: string[]

beforeAll(async () => {
  browser = await launchBrowser()
}, 60_000)
afterAll(() => browser.close())

beforeEach(async () => {
  viewer = await startViewer({ port: 0, maxSpans: 8000 })
  page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
  page.setDefaultTimeout(10_000)
  problems = []
  page.on('pageerror', (error) => problems.push(error.message))
  page.on('console', (message) => {
    if (message.type() === 'error') problems.push(message.text())
  })
})
afterEach(async () => {
  await page.close()
  await viewer.close()
  expect(problems).toEqual([])
})

const rows = () => page.locator('.list tbody tr')
const text = (key: string, value: string) => ({ key, value: { stringValue: value } })
const int = (key: string, value: number) => ({ key, value: { intValue: String(value) } })
const hex = (number: number, length: number) => number.toString(16).padStart(length, '0')
const nanoseconds = (epochMs: number) => `${Math.round(epochMs * 1000)}000`
const now = Date.now()

interface Made {
  readonly trace: number
  readonly span: number
  readonly parent?: number
  readonly name: string
  readonly at?: number
  readonly duration?: number
  readonly [more: string]: unknown
}

/** A span as OTLP/JSON has it; `at` is milliseconds before now. */
function span({ trace, span: id, parent, name, at = 5000, duration = 1, ...more }: Made) {
  return {
    traceId: hex(trace, 32),
    spanId: hex(id, 16),
    ...(parent !== undefined && { parentSpanId: hex(parent, 16) }),
    name,
    kind: 1,
    startTimeUnixNano: nanoseconds(now - at),
    endTimeUnixNano: nanoseconds(now - at + duration),
    ...more,
  }
}

async function send(...spans: readonly ReturnType<typeof span>[]): Promise<void> {
  const resource = { attributes: [text('service.name', 'chat'), text('service.instance.id', 'node-1')] }
  expect(await post(viewer, 'traces', { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })).toMatchObject({
    status: 200,
  })
}

const of = (id: string, user: string) => [
  text('websocket.connection.id', id),
  text('websocket.route', '/chat'),
  text('user.id', user),
]

test('nothing is said to be well where nothing is known', async () => {
  await page.goto(viewer.url)
  await page.locator('.card.unknown').nth(5).waitFor()
  expect(await page.locator('.card.good').count()).toBe(0)
  expect(await page.locator('.card strong').allTextContents()).toEqual(Array.from({ length: 6 }, () => 'Not known'))
  await send(span({ trace: 1, span: 1, name: 'GET /fine' }))
  await page.locator('.card.good').filter({ hasText: 'None fails' }).waitFor()
  expect(await page.locator('.card.unknown').count()).toBe(4)
})

test('the reason of a rejected login is two clicks away, in the log of its trace', async () => {
  const attributes = [
    text('websocket.handshake.outcome', 'rejected'),
    int('http.response.status_code', 401),
    text('websocket.route', '/chat'),
  ]
  await send(span({ trace: 1, span: 1, name: 'GET /chat', kind: 2, attributes }))
  await post(
    viewer,
    'logs',
    logsRequest({ traceId: hex(1, 32), spanId: hex(1, 16), body: { stringValue: 'token of ada expired' } }),
  )
  await page.goto(viewer.url)
  await page.getByRole('link', { name: /Rejected handshakes/ }).click()
  await page.locator('.list[aria-busy=false] tbody tr').first().click()
  const lines = page.getByRole('region', { name: 'Logs of this span' })
  await lines.getByText('token of ada expired').waitFor()
  // And from there to the record with all that it carries, and back to its trace.
  await lines.getByRole('link').click()
  await page.getByRole('region', { name: 'Log record' }).getByRole('link', { name: 'its trace →' }).click()
  await page.getByTestId('facts').getByRole('heading', { name: 'GET /chat' }).waitFor()
})

test('logs are listed as they come, and filtered by level and search', async () => {
  await page.goto(`${viewer.url}/#/logs`)
  await page.getByText('Waiting for the first log record').waitFor()
  await post(viewer, 'logs', logsRequest({ severityNumber: 9, body: { stringValue: 'server listens' } }))
  await post(viewer, 'logs', logsRequest({ severityNumber: 17, body: { stringValue: 'pool exhausted' } }))
  await rows().nth(1).waitFor()
  await page.getByLabel('Level').selectOption('warn')
  await page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 logs/ })
    .waitFor()
  expect(await rows().locator('.name').allTextContents()).toEqual(['pool exhausted'])
  await page.getByLabel('Level').selectOption('')
  await page.getByRole('combobox', { name: 'Search' }).fill('listens')
  await page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 logs/ })
    .waitFor()
  expect(await rows().locator('.name').allTextContents()).toEqual(['server listens'])
  expect(await page.title()).toBe('Logs · listens · otel-ws viewer')
})

test('the search completes keys and values, and says what it does not understand', async () => {
  await send(span({ trace: 1, span: 1, name: 'process say', attributes: of('c1', 'ada') }))
  await send(span({ trace: 2, span: 2, name: 'process say', attributes: of('c2', 'bob') }))
  await page.goto(viewer.url)
  await rows().nth(1).waitFor()
  const search = page.getByRole('combobox', { name: 'Search' })
  await search.pressSequentially('user.i')
  await page.getByRole('option', { name: 'user.id=' }).waitFor()
  await page.keyboard.press('ArrowDown')
  await page.keyboard.press('Enter')
  await page.getByRole('option', { name: 'user.id=bob' }).waitFor()
  await page.getByRole('option', { name: 'user.id=ada' }).click()
  await page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 traces/ })
    .waitFor()
  await search.fill('duration>slow')
  await page.getByText('Not understood: “duration>slow” does not compare with a number').waitFor()
  // The search goes along to the other views.
  await search.fill('bob')
  await page.keyboard.press('Escape')
  await page.keyboard.press('2')
  await page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 connections/ })
    .waitFor()
})

test('a time range is chosen, stands in the address and holds for lists and cards', async () => {
  await send(span({ trace: 1, span: 1, name: 'GET /late', at: 1000, status: { code: 2 } }))
  await send(span({ trace: 2, span: 2, name: 'GET /early', at: 3_600_000, status: { code: 2 } }))
  await page.goto(viewer.url)
  await rows().nth(1).waitFor()
  await page.getByRole('button', { name: 'Time range: All that is kept' }).click()
  await page.getByRole('button', { name: 'Last 5 minutes' }).click()
  await page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 traces/ })
    .waitFor()
  await page.locator('.card-detail').filter({ hasText: '1 of 1 failed' }).waitFor()
  expect(page.url()).toContain('last=300')
  await page.getByRole('button', { name: 'Time range: Last 5 minutes' }).click()
  const local = (time: number) => new Date(time - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
  await page.getByLabel('From').fill(local(now - 3_700_000))
  await page.getByLabel('To').fill(local(now - 3_500_000))
  await page.getByRole('button', { name: 'Show', exact: true }).click()
  await rows().locator('.name').filter({ hasText: 'GET /early' }).waitFor()
  expect(await rows().count()).toBe(1)
  expect(page.url()).toMatch(/from=\d+&to=\d+/)
  await page.getByRole('button', { name: 'Show all that is kept' }).click()
  await rows().nth(1).waitFor()
})

test('everything that is kept is reached page by page', async () => {
  const scrollTo = (top: number) =>
    page
      .locator('.scroll')
      .first()
      .evaluate((element, to) => (element as unknown as { scrollTo(x: number, y: number): void }).scrollTo(0, to), top)
  await send(
    ...Array.from({ length: 1200 }, (_, index) =>
      span({ trace: index + 1, span: 1, name: `t${index}`, at: 1_200_000 - index * 1000 }),
    ),
  )
  await page.goto(viewer.url)
  await page.getByRole('button', { name: 'Show more' }).click()
  for (const [newest, oldest] of [
    ['t1199', 't700'],
    ['t699', 't200'],
    ['t199', 't0'],
  ]) {
    await scrollTo(0)
    await rows()
      .first()
      .locator('.name a')
      .filter({ hasText: new RegExp(`^${newest}$`) })
      .waitFor()
    await scrollTo(1e9)
    await rows()
      .locator('.name')
      .filter({ hasText: new RegExp(`${oldest}$`) })
      .waitFor()
    // Of a long list no more is drawn than there is room for.
    expect(await rows().count()).toBeLessThan(100)
    if (oldest !== 't0') await page.getByRole('button', { name: 'Older' }).click()
  }
  await page.getByRole('button', { name: 'Back to the first' }).click()
  await rows().locator('.name').filter({ hasText: 't1199' }).waitFor()
})

test('a large trace shows its failure, is searched and folded', async () => {
  const spans = Array.from({ length: 1500 }, (_, index) =>
    span({
      trace: 1,
      span: index + 1,
      ...(index > 0 && { parent: index < 750 ? 1 : 2 }),
      name: `step ${index}`,
      at: 5000 - index,
      ...(index === 1499 && { status: { code: 2, message: 'boom' } }),
    }),
  )
  await send(...spans)
  await page.goto(viewer.url)
  await rows()
    .filter({ has: page.locator('.error-text', { hasText: 'boom' }) })
    .click()
  const pane = page.getByRole('region', { name: 'Trace', exact: true })
  // What failed is selected, in view, and its facts are shown.
  await page.getByTestId('facts').getByRole('heading', { name: 'step 1499' }).waitFor()
  await pane.getByRole('option', { name: 'step 1499' }).waitFor()
  await pane.getByText('1,000 of 1,500 spans are drawn').waitFor()
  expect(await pane.getByRole('option').count()).toBeLessThan(100)
  await pane.getByRole('searchbox', { name: 'Find in this trace' }).fill('"step 1300"')
  await pane.getByRole('button', { name: '1 found ↓' }).click()
  await page.getByTestId('facts').getByRole('heading', { name: 'step 1300' }).waitFor()
  await pane.getByRole('button', { name: '1 failed ↓' }).click()
  await page.getByTestId('facts').getByRole('heading', { name: 'step 1499' }).waitFor()
  await pane.getByRole('button', { name: 'Fold all' }).click()
  await pane.getByText('999 below').waitFor()
  expect(await pane.getByRole('option').count()).toBe(1)
  // A link to a span that is not among the first ones leads to it all the same.
  await page.goto(`${viewer.url}/#/traces?open=${hex(1, 32)}&span=${hex(1451, 16)}`)
  await page.getByTestId('facts').getByRole('heading', { name: 'step 1450' }).waitFor()
})

test('clocks that disagree are said, and an event without attributes is shown', async () => {
  const events = [{ name: 'cache.miss', timeUnixNano: nanoseconds(now - 4999) }]
  await send(
    span({ trace: 1, span: 1, name: 'GET /orders', events }),
    span({ trace: 1, span: 2, parent: 1, name: 'early', at: 8000 }),
  )
  await page.goto(`${viewer.url}/#/traces?open=${hex(1, 32)}&span=${hex(1, 16)}`)
  await page.locator('.notices').filter({ hasText: '1 span begins before the parent, by up to 3 s' }).waitFor()
  await page.getByTestId('facts').getByText('Event cache.miss at +1 ms').waitFor()
  await page.locator('.span-event').waitFor({ state: 'attached' })
})

test('the timeline accounts for every message of a connection', async () => {
  const sent = (sequence: number, unrecorded: number, broadcast: number) =>
    span({
      trace: 100 + sequence,
      span: 100 + sequence,
      name: 'send reply',
      at: 9000 - sequence * 100,
      attributes: [
        ...of('c1', 'ada'),
        int('websocket.message.sequence', sequence),
        int('websocket.connection.messages.sent.unrecorded', unrecorded),
        int('websocket.connection.messages.sent.broadcast', broadcast),
      ],
    })
  await send(sent(1, 0, 0), sent(2, 0, 0), sent(20, 6, 10), sent(21, 6, 10))
  await page.goto(`${viewer.url}/#/connections?open=c1`)
  await page.getByTestId('account-sent').filter({ hasText: '4 of 21 messages sent are listed' }).waitFor()
  const gap = page.getByTestId('gap')
  expect(await gap.count()).toBe(1)
  expect(await gap.locator('.sequence').textContent()).toBe('#3 – #19')
  expect(await gap.locator('.outcome').textContent()).toContain(
    '10 members of broadcasts, which have no span each; 6 sampled out or over budget; 1 without a span',
  )
  expect(await page.locator('.timeline .gap.broadcast .diamond').count()).toBe(1)
  await gap.getByRole('link', { name: 'broadcasts →' }).click()
  await page.waitForURL(/websocket\.broadcast\.recipients/)
})

test('operations and subscriptions are drawn on the timeline', async () => {
  const operation = (name: string, type: string) => [
    ...of('c1', 'ada'),
    text('websocket.operation.name', name),
    text('websocket.operation.id', name),
    text('websocket.operation.type', type),
  ]
  await send(
    span({ trace: 1, span: 1, name: 'process GetUser', duration: 500, attributes: operation('GetUser', 'query') }),
    span({ trace: 2, span: 2, name: 'process OnMessage', attributes: operation('OnMessage', 'subscription') }),
  )
  await page.goto(`${viewer.url}/#/connections?open=c1`)
  await page.locator('.operation[data-operation=OnMessage].running').waitFor()
  await page.locator('.operation[data-operation=GetUser]').click()
  await page.locator('.messages tr[aria-selected=true]').filter({ hasText: 'GetUser' }).waitFor()
})

test('a slow consumer has a card, a place in the order and its bytes in the list', async () => {
  const buffered = (id: string, user: string, bytes: number, trace: number) =>
    span({
      trace,
      span: trace,
      name: 'send tick',
      attributes: [...of(id, user), int('websocket.send.buffered', bytes)],
    })
  await send(buffered('c1', 'ada', 100, 1), buffered('c2', 'bob', 13_631_488, 2), buffered('c3', 'eve', 2_097_152, 3))
  await page.goto(viewer.url)
  const card = page.getByRole('link', { name: /Slow consumers/ })
  await card.filter({ hasText: 'bob' }).waitFor()
  expect(await card.locator('.card-detail').textContent()).toBe('13 MiB, one of 2')
  await card.click()
  await page
    .getByTestId('matching')
    .filter({ hasText: /^2 of 3 connections/ })
    .waitFor()
  expect(await rows().locator('td.buffered').allTextContents()).toEqual(['13 MiB', '2 MiB'])
})

test('one user is followed over all reconnects', async () => {
  const closed = (id: string, at: number, trace: number, code: number, category: string) =>
    span({
      trace,
      span: trace,
      name: 'close /chat',
      at,
      attributes: [
        ...of(id, 'ada'),
        text('websocket.close.category', category),
        int('websocket.close.code', code),
        { key: 'websocket.connection.duration', value: { doubleValue: 10 } },
        int('websocket.connection.messages.sent', 7),
      ],
    })
  await send(closed('c1', 60_000, 1, 1006, 'abnormal'), closed('c2', 20_000, 2, 1000, 'normal'))
  await send(span({ trace: 3, span: 3, name: 'process say', at: 100, attributes: of('c3', 'ada') }))
  await page.goto(`${viewer.url}/#/sessions`)
  await rows().locator('.name').getByRole('link', { name: 'ada' }).click()
  const pane = page.getByRole('region', { name: 'Session', exact: true })
  await pane.locator('.life-bar').nth(2).waitFor()
  expect(
    await pane
      .locator('.life-bar')
      .evaluateAll((bars) => bars.map((bar) => (bar as unknown as { className: string }).className)),
  ).toEqual(['life-bar open', 'life-bar closed', 'life-bar dropped'])
  expect(await pane.locator('td.close').allTextContents()).toEqual(['open', 'normal 1000', 'abnormal 1006'])
  expect(await page.title()).toBe('ada · Sessions · otel-ws viewer')
  await pane.locator('td.id a').last().click()
  await page.getByRole('region', { name: 'Connection', exact: true }).getByText('abnormal').first().waitFor()
})

test('a broadcast lists its nodes, the latest first, and leads to their spans', async () => {
  const delivered = (id: number, lag: number, recipients: number) =>
    span({
      trace: 1,
      span: id,
      parent: 1,
      name: 'deliver say',
      kind: 5,
      at: 5000 - lag,
      attributes: [
        text('websocket.route', '/chat'),
        int('websocket.broadcast.recipients', recipients),
        { key: 'websocket.deliver.lag', value: { doubleValue: lag / 1000 } },
      ],
    })
  await send(
    span({
      trace: 1,
      span: 1,
      name: 'broadcast say',
      kind: 4,
      attributes: [text('websocket.route', '/chat'), int('websocket.broadcast.recipients', 5)],
    }),
    delivered(2, 3, 10),
    delivered(3, 40, 20),
  )
  await page.goto(`${viewer.url}/#/traces?open=${hex(1, 32)}`)
  const table = page.getByRole('region', { name: 'Nodes of the broadcast' })
  await table.locator('tbody tr').nth(2).waitFor()
  expect(await table.locator('tbody td:nth-child(4)').allTextContents()).toEqual(['40 ms', '3 ms', 'origin'])
  expect(await table.locator('tbody td:nth-child(5)').allTextContents()).toEqual(['20', '10', '5'])
  await table.locator('tbody tr').first().click()
  await page.getByTestId('facts').getByText('to 20 here, lag 40 ms').waitFor()
})

test('two traces of one name are compared', async () => {
  await send(
    span({ trace: 1, span: 1, name: 'GET /orders', duration: 900 }),
    span({ trace: 1, span: 2, parent: 1, name: 'SELECT', duration: 800 }),
  )
  await send(
    span({ trace: 2, span: 1, name: 'GET /orders', duration: 50 }),
    span({ trace: 2, span: 2, parent: 1, name: 'SELECT', duration: 40 }),
  )
  await page.goto(`${viewer.url}/#/traces?open=${hex(1, 32)}`)
  await page.getByRole('button', { name: 'Compare' }).click()
  const differences = page.locator('.comparison tbody td:last-child')
  await differences.nth(1).waitFor()
  expect(await differences.allTextContents()).toEqual(['+850 ms', '+760 ms'])
})

test('the selection of the keyboard stays while traces stream in', async () => {
  await send(
    ...Array.from({ length: 5 }, (_, index) =>
      span({ trace: index + 1, span: 1, name: `first ${index}`, at: 5000 - index }),
    ),
  )
  await page.goto(viewer.url)
  await rows().nth(4).waitFor()
  await page.keyboard.press('j')
  await page.keyboard.press('j')
  await page.locator('.pane-head').getByRole('heading', { name: 'first 3' }).waitFor()
  await send(
    ...Array.from({ length: 200 }, (_, index) =>
      span({ trace: 1000 + index, span: 1, name: `later ${index}`, at: 1000 - index }),
    ),
  )
  await page.getByText('held while you use the keyboard').waitFor()
  await page.keyboard.press('j')
  await page.locator('.pane-head').getByRole('heading', { name: 'first 2' }).waitFor()
  await page.keyboard.press('Escape')
  await rows().locator('.name').filter({ hasText: 'later 199' }).waitFor()
})

test('clearing asks first', async () => {
  await send(span({ trace: 1, span: 1, name: 'kept' }))
  await page.goto(viewer.url)
  await rows().first().waitFor()
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click()
  expect(await rows().count()).toBe(1)
  await page.getByRole('button', { name: 'Clear' }).click()
  await page.getByRole('dialog').getByRole('button', { name: 'Forget everything' }).click()
  await page.getByText('Waiting for the first trace').waitFor()
})

test('refused requests are listed with their reasons', async () => {
  await page.goto(viewer.url)
  const headers = { 'content-type': 'application/json' }
  for (let round = 0; round < 2; round++) await call(viewer, '/v1/traces/', { method: 'POST', headers, body: '{}' })
  await post(viewer, 'traces', 'nonsense')
  await page.getByTestId('refused').filter({ hasText: '3 requests refused' }).click()
  expect(await page.getByRole('dialog').getByRole('listitem').allTextContents()).toEqual([
    '2 POST /v1/traces/: exports go to /v1/traces, /v1/metrics, /v1/logs',
    '1 the body is not a valid OTLP JSON traces request',
  ])
})

test('characters that turn the direction of text do not reach their neighbours', async () => {
  await post(viewer, 'traces', traceRequest({ name: '\u202Elive\u202E', status: { code: 2, message: 'boom' } }))
  await page.goto(viewer.url)
  const row = rows().first()
  const name = await row.locator('.name a').boundingBox()
  const error = await row.locator('.error-text').boundingBox()
  expect(error!.x).toBeGreaterThan(name!.x + name!.width - 1)
})

test('a time that is dragged over a chart is the range of all views, in 24 hours', async () => {
  const level = (secondsAgo: number, value: number) => ({
    asDouble: value,
    timeUnixNano: nanoseconds(Date.now() - secondsAgo * 1000),
  })
  const gauge = {
    name: 'websocket.server.connection.active',
    gauge: { dataPoints: [level(60, 2), level(30, 3), level(1, 2)] },
  }
  await post(viewer, 'metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }] })
  await page.goto(`${viewer.url}/#/metrics`)
  const plot = page.locator('[data-panel=active] .u-over')
  await plot.waitFor()
  const box = (await plot.boundingBox())!
  await page.mouse.move(box.x + box.width * 0.3, box.y + 40)
  await page.mouse.down()
  await page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 5 })
  await page.mouse.up()
  await page.waitForURL(/from=\d+&to=\d+/)
  const [, from, to] = /from=(\d+)&to=(\d+)/.exec(page.url())!
  expect(Number(to) - Number(from)).toBeGreaterThan(60_000)
  await page.getByRole('link', { name: 'Traces of Active connections' }).click()
  await page.waitForURL(new RegExp(`#/traces.*from=${from}&to=${to}`))
})
