import { expect, test } from 'vitest'
import { int, ofConnection, otlpSpan, text } from '../support/otlp.ts'
import { watchedViewer } from '../support/watched-viewer.ts'

const watched = watchedViewer()
const { rows, send } = watched

test('the timeline accounts for every message of a connection', async () => {
  const sent = (sequence: number, unrecorded: number, broadcast: number) =>
    otlpSpan({
      trace: 100 + sequence,
      span: 100 + sequence,
      name: 'send reply',
      at: 9000 - sequence * 100,
      attributes: [
        ...ofConnection('c1', 'ada'),
        int('websocket.message.sequence', sequence),
        int('websocket.connection.messages.sent.unrecorded', unrecorded),
        int('websocket.connection.messages.sent.broadcast', broadcast),
      ],
    })
  await send(sent(1, 0, 0), sent(2, 0, 0), sent(20, 6, 10), sent(21, 6, 10))
  await watched.page.goto(`${watched.viewer.url}/#/connections?open=c1`)
  await watched.page.getByTestId('account-sent').filter({ hasText: '4 of 21 messages sent are listed' }).waitFor()
  const gap = watched.page.getByTestId('gap')
  expect(await gap.count()).toBe(1)
  expect(await gap.locator('.sequence').textContent()).toBe('#3 – #19')
  expect(await gap.locator('.outcome').textContent()).toContain(
    '10 members of broadcasts, which have no span each; 6 sampled out or over budget; 1 without a span',
  )
  expect(await watched.page.locator('.timeline .gap.broadcast .diamond').count()).toBe(1)
  await gap.getByRole('link', { name: 'broadcasts →' }).click()
  await watched.page.waitForURL(/websocket\.broadcast\.recipients/)
})

test('operations and subscriptions are drawn on the timeline', async () => {
  const operation = (name: string, type: string) => [
    ...ofConnection('c1', 'ada'),
    text('websocket.operation.name', name),
    text('websocket.operation.id', name),
    text('websocket.operation.type', type),
  ]
  await send(
    otlpSpan({ trace: 1, span: 1, name: 'process GetUser', duration: 500, attributes: operation('GetUser', 'query') }),
    otlpSpan({ trace: 2, span: 2, name: 'process OnMessage', attributes: operation('OnMessage', 'subscription') }),
  )
  await watched.page.goto(`${watched.viewer.url}/#/connections?open=c1`)
  await watched.page.locator('.operation[data-operation=OnMessage].running').waitFor()
  await watched.page.locator('.operation[data-operation=GetUser]').click()
  await watched.page.locator('.messages tr[aria-selected=true]').filter({ hasText: 'GetUser' }).waitFor()
})

test('a slow consumer has a card, a place in the order and its bytes in the list', async () => {
  const buffered = (id: string, user: string, bytes: number, trace: number) =>
    otlpSpan({
      trace,
      span: trace,
      name: 'send tick',
      attributes: [...ofConnection(id, user), int('websocket.send.buffered', bytes)],
    })
  await send(buffered('c1', 'ada', 100, 1), buffered('c2', 'bob', 13_631_488, 2), buffered('c3', 'eve', 2_097_152, 3))
  await watched.page.goto(watched.viewer.url)
  const card = watched.page.getByRole('link', { name: /Slow consumers/ })
  await card.filter({ hasText: 'bob' }).waitFor()
  expect(await card.locator('.card-detail').textContent()).toBe('13 MiB, one of 2')
  await card.click()
  await watched.page
    .getByTestId('matching')
    .filter({ hasText: /^2 of 3 connections/ })
    .waitFor()
  expect(await rows().locator('td.buffered').allTextContents()).toEqual(['13 MiB', '2 MiB'])
})

test('one user is followed over all reconnects', async () => {
  const closed = (id: string, at: number, trace: number, code: number, category: string) =>
    otlpSpan({
      trace,
      span: trace,
      name: 'close /chat',
      at,
      attributes: [
        ...ofConnection(id, 'ada'),
        text('websocket.close.category', category),
        int('websocket.close.code', code),
        { key: 'websocket.connection.duration', value: { doubleValue: 10 } },
        int('websocket.connection.messages.sent', 7),
      ],
    })
  await send(closed('c1', 60_000, 1, 1006, 'abnormal'), closed('c2', 20_000, 2, 1000, 'normal'))
  await send(otlpSpan({ trace: 3, span: 3, name: 'process say', at: 100, attributes: ofConnection('c3', 'ada') }))
  await watched.page.goto(`${watched.viewer.url}/#/sessions`)
  await rows().locator('.name').getByRole('link', { name: 'ada' }).click()
  const pane = watched.page.getByRole('region', { name: 'Session', exact: true })
  await pane.locator('.life-bar').nth(2).waitFor()
  expect(
    await pane
      .locator('.life-bar')
      .evaluateAll((bars) => bars.map((bar) => (bar as unknown as { className: string }).className)),
  ).toEqual(['life-bar open', 'life-bar closed', 'life-bar dropped'])
  expect(await pane.locator('td.close').allTextContents()).toEqual(['open', 'normal 1000', 'abnormal 1006'])
  expect(await watched.page.title()).toBe('ada · Sessions · otel-ws viewer')
  await pane.locator('td.id a').last().click()
  await watched.page.getByRole('region', { name: 'Connection', exact: true }).getByText('abnormal').first().waitFor()
})
