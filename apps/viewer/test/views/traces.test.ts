import { expect, test } from 'vitest'
import { post, traceRequest } from '../support/client.ts'
import { hex, int, nanoseconds, now, otlpSpan, text } from '../support/otlp.ts'
import { watchedViewer } from '../support/watched-viewer.ts'

const watched = watchedViewer()
const { rows, send } = watched

test('a large trace shows its failure, is searched and folded', async () => {
  const spans = Array.from({ length: 1500 }, (_, index) =>
    otlpSpan({
      trace: 1,
      span: index + 1,
      ...(index > 0 && { parent: index < 750 ? 1 : 2 }),
      name: `step ${index}`,
      at: 5000 - index,
      ...(index === 1499 && { status: { code: 2, message: 'boom' } }),
    }),
  )
  await send(...spans)
  await watched.page.goto(watched.viewer.url)
  await rows()
    .filter({ has: watched.page.locator('.error-text', { hasText: 'boom' }) })
    .click()
  const pane = watched.page.getByRole('region', { name: 'Trace', exact: true })
  // What failed is selected, in view, and its facts are shown.
  await watched.page.getByTestId('facts').getByRole('heading', { name: 'step 1499' }).waitFor()
  await pane.getByRole('option', { name: 'step 1499' }).waitFor()
  await pane.getByText('1,000 of 1,500 spans are drawn').waitFor()
  expect(await pane.getByRole('option').count()).toBeLessThan(100)
  await pane.getByRole('searchbox', { name: 'Find in this trace' }).fill('"step 1300"')
  await pane.getByRole('button', { name: '1 found ↓' }).click()
  await watched.page.getByTestId('facts').getByRole('heading', { name: 'step 1300' }).waitFor()
  await pane.getByRole('button', { name: '1 failed ↓' }).click()
  await watched.page.getByTestId('facts').getByRole('heading', { name: 'step 1499' }).waitFor()
  await pane.getByRole('button', { name: 'Fold all' }).click()
  await pane.getByText('999 below').waitFor()
  expect(await pane.getByRole('option').count()).toBe(1)
  // A link to a span that is not among the first ones leads to it all the same.
  await watched.page.goto(`${watched.viewer.url}/#/traces?open=${hex(1, 32)}&span=${hex(1451, 16)}`)
  await watched.page.getByTestId('facts').getByRole('heading', { name: 'step 1450' }).waitFor()
})

test('clocks that disagree are said, and an event without attributes is shown', async () => {
  const events = [{ name: 'cache.miss', timeUnixNano: nanoseconds(now - 4999) }]
  await send(
    otlpSpan({ trace: 1, span: 1, name: 'GET /orders', events }),
    otlpSpan({ trace: 1, span: 2, parent: 1, name: 'early', at: 8000 }),
  )
  await watched.page.goto(`${watched.viewer.url}/#/traces?open=${hex(1, 32)}&span=${hex(1, 16)}`)
  await watched.page.locator('.notices').filter({ hasText: '1 span begins before the parent, by up to 3 s' }).waitFor()
  await watched.page.getByTestId('facts').getByText('Event cache.miss at +1 ms').waitFor()
  await watched.page.locator('.span-event').waitFor({ state: 'attached' })
})

test('a broadcast lists its nodes, the latest first, and leads to their spans', async () => {
  const delivered = (id: number, lag: number, recipients: number) =>
    otlpSpan({
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
    otlpSpan({
      trace: 1,
      span: 1,
      name: 'broadcast say',
      kind: 4,
      attributes: [text('websocket.route', '/chat'), int('websocket.broadcast.recipients', 5)],
    }),
    delivered(2, 3, 10),
    delivered(3, 40, 20),
  )
  await watched.page.goto(`${watched.viewer.url}/#/traces?open=${hex(1, 32)}`)
  const table = watched.page.getByRole('region', { name: 'Nodes of the broadcast' })
  await table.locator('tbody tr').nth(2).waitFor()
  expect(await table.locator('tbody td:nth-child(4)').allTextContents()).toEqual(['40 ms', '3 ms', 'origin'])
  expect(await table.locator('tbody td:nth-child(5)').allTextContents()).toEqual(['20', '10', '5'])
  await table.locator('tbody tr').first().click()
  await watched.page.getByTestId('facts').getByText('to 20 here, lag 40 ms').waitFor()
})

test('two traces of one name are compared', async () => {
  await send(
    otlpSpan({ trace: 1, span: 1, name: 'GET /orders', duration: 900 }),
    otlpSpan({ trace: 1, span: 2, parent: 1, name: 'SELECT', duration: 800 }),
  )
  await send(
    otlpSpan({ trace: 2, span: 1, name: 'GET /orders', duration: 50 }),
    otlpSpan({ trace: 2, span: 2, parent: 1, name: 'SELECT', duration: 40 }),
  )
  await watched.page.goto(`${watched.viewer.url}/#/traces?open=${hex(1, 32)}`)
  await watched.page.getByRole('button', { name: 'Compare' }).click()
  const differences = watched.page.locator('.comparison tbody td:last-child')
  await differences.nth(1).waitFor()
  expect(await differences.allTextContents()).toEqual(['+850 ms', '+760 ms'])
})

test('characters that turn the direction of text do not reach their neighbours', async () => {
  await post(watched.viewer, 'traces', traceRequest({ name: '\u202Elive\u202E', status: { code: 2, message: 'boom' } }))
  await watched.page.goto(watched.viewer.url)
  const row = rows().first()
  const name = await row.locator('.name a').boundingBox()
  const error = await row.locator('.error-text').boundingBox()
  expect(error!.x).toBeGreaterThan(name!.x + name!.width - 1)
})
