import { expect, test } from 'vitest'
import { post } from '../support/client.ts'
import { nanoseconds, now, ofConnection, otlpSpan } from '../support/otlp.ts'
import { watchedViewer } from '../support/watched-viewer.ts'

const watched = watchedViewer()
const { rows, send } = watched

test('nothing is said to be well where nothing is known', async () => {
  await watched.page.goto(watched.viewer.url)
  await watched.page.locator('.card.unknown').nth(5).waitFor()
  expect(await watched.page.locator('.card.good').count()).toBe(0)
  expect(await watched.page.locator('.card strong').allTextContents()).toEqual(
    Array.from({ length: 6 }, () => 'Not known'),
  )
  await send(otlpSpan({ trace: 1, span: 1, name: 'GET /fine' }))
  await watched.page.locator('.card.good').filter({ hasText: 'None fails' }).waitFor()
  expect(await watched.page.locator('.card.unknown').count()).toBe(4)
})

test('the search completes keys and values, and says what it does not understand', async () => {
  await send(otlpSpan({ trace: 1, span: 1, name: 'process say', attributes: ofConnection('c1', 'ada') }))
  await send(otlpSpan({ trace: 2, span: 2, name: 'process say', attributes: ofConnection('c2', 'bob') }))
  await watched.page.goto(watched.viewer.url)
  await rows().nth(1).waitFor()
  const search = watched.page.getByRole('combobox', { name: 'Search' })
  await search.pressSequentially('user.i')
  await watched.page.getByRole('option', { name: 'user.id=' }).waitFor()
  await watched.page.keyboard.press('ArrowDown')
  await watched.page.keyboard.press('Enter')
  await watched.page.getByRole('option', { name: 'user.id=bob' }).waitFor()
  await watched.page.getByRole('option', { name: 'user.id=ada' }).click()
  await watched.page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 traces/ })
    .waitFor()
  await search.fill('duration>slow')
  await watched.page.getByText('Not understood: “duration>slow” does not compare with a number').waitFor()
  // The search goes along to the other views.
  await search.fill('bob')
  await watched.page.keyboard.press('Escape')
  await watched.page.keyboard.press('2')
  await watched.page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 connections/ })
    .waitFor()
})

test('a time range is chosen, stands in the address and holds for lists and cards', async () => {
  await send(otlpSpan({ trace: 1, span: 1, name: 'GET /late', at: 1000, status: { code: 2 } }))
  await send(otlpSpan({ trace: 2, span: 2, name: 'GET /early', at: 3_600_000, status: { code: 2 } }))
  await watched.page.goto(watched.viewer.url)
  await rows().nth(1).waitFor()
  await watched.page.getByRole('button', { name: 'Time range: All that is kept' }).click()
  await watched.page.getByRole('button', { name: 'Last 5 minutes' }).click()
  await watched.page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 traces/ })
    .waitFor()
  await watched.page.locator('.card-detail').filter({ hasText: '1 of 1 failed' }).waitFor()
  expect(watched.page.url()).toContain('last=300')
  await watched.page.getByRole('button', { name: 'Time range: Last 5 minutes' }).click()
  const local = (time: number) => new Date(time - new Date().getTimezoneOffset() * 60_000).toISOString().slice(0, 19)
  await watched.page.getByLabel('From').fill(local(now - 3_700_000))
  await watched.page.getByLabel('To').fill(local(now - 3_500_000))
  await watched.page.getByRole('button', { name: 'Show', exact: true }).click()
  await rows().locator('.name').filter({ hasText: 'GET /early' }).waitFor()
  expect(await rows().count()).toBe(1)
  expect(watched.page.url()).toMatch(/from=\d+&to=\d+/)
  await watched.page.getByRole('button', { name: 'Show all that is kept' }).click()
  await rows().nth(1).waitFor()
})

test('everything that is kept is reached page by page', async () => {
  const scrollTo = (top: number) =>
    watched.page
      .locator('.scroll')
      .first()
      .evaluate((element, to) => (element as unknown as { scrollTo(x: number, y: number): void }).scrollTo(0, to), top)
  await send(
    ...Array.from({ length: 1200 }, (_, index) =>
      otlpSpan({ trace: index + 1, span: 1, name: `t${index}`, at: 1_200_000 - index * 1000 }),
    ),
  )
  await watched.page.goto(watched.viewer.url)
  await watched.page.getByRole('button', { name: 'Show more' }).click()
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
    if (oldest !== 't0') await watched.page.getByRole('button', { name: 'Older' }).click()
  }
  await watched.page.getByRole('button', { name: 'Back to the first' }).click()
  await rows().locator('.name').filter({ hasText: 't1199' }).waitFor()
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
  await post(watched.viewer, 'metrics', { resourceMetrics: [{ scopeMetrics: [{ metrics: [gauge] }] }] })
  await watched.page.goto(`${watched.viewer.url}/#/metrics`)
  const plot = watched.page.locator('[data-panel=active] .u-over')
  await plot.waitFor()
  const box = (await plot.boundingBox())!
  await watched.page.mouse.move(box.x + box.width * 0.3, box.y + 40)
  await watched.page.mouse.down()
  await watched.page.mouse.move(box.x + box.width * 0.7, box.y + 40, { steps: 5 })
  await watched.page.mouse.up()
  await watched.page.waitForURL(/from=\d+&to=\d+/)
  const [, from, to] = /from=(\d+)&to=(\d+)/.exec(watched.page.url())!
  expect(Number(to) - Number(from)).toBeGreaterThan(60_000)
  await watched.page.getByRole('link', { name: 'Traces of Active connections' }).click()
  await watched.page.waitForURL(new RegExp(`#/traces.*from=${from}&to=${to}`))
})
