import { expect, test } from 'vitest'
import { call, post } from '../support/client.ts'
import { otlpSpan } from '../support/otlp.ts'
import { watchedViewer } from '../support/watched-viewer.ts'

const watched = watchedViewer()
const { rows, send } = watched

test('the selection of the keyboard stays while traces stream in', async () => {
  await send(
    ...Array.from({ length: 5 }, (_, index) =>
      otlpSpan({ trace: index + 1, span: 1, name: `first ${index}`, at: 5000 - index }),
    ),
  )
  await watched.page.goto(watched.viewer.url)
  await rows().nth(4).waitFor()
  await watched.page.keyboard.press('j')
  await watched.page.keyboard.press('j')
  await watched.page.locator('.pane-head').getByRole('heading', { name: 'first 3' }).waitFor()
  await send(
    ...Array.from({ length: 200 }, (_, index) =>
      otlpSpan({ trace: 1000 + index, span: 1, name: `later ${index}`, at: 1000 - index }),
    ),
  )
  await watched.page.getByText('held while you use the keyboard').waitFor()
  await watched.page.keyboard.press('j')
  await watched.page.locator('.pane-head').getByRole('heading', { name: 'first 2' }).waitFor()
  await watched.page.keyboard.press('Escape')
  await rows().locator('.name').filter({ hasText: 'later 199' }).waitFor()
})

test('clearing asks first', async () => {
  await send(otlpSpan({ trace: 1, span: 1, name: 'kept' }))
  await watched.page.goto(watched.viewer.url)
  await rows().first().waitFor()
  await watched.page.getByRole('button', { name: 'Clear' }).click()
  await watched.page.getByRole('dialog').getByRole('button', { name: 'Keep it' }).click()
  expect(await rows().count()).toBe(1)
  await watched.page.getByRole('button', { name: 'Clear' }).click()
  await watched.page.getByRole('dialog').getByRole('button', { name: 'Forget everything' }).click()
  await watched.page.getByText('Waiting for the first trace').waitFor()
})

test('refused requests are listed with their reasons', async () => {
  await watched.page.goto(watched.viewer.url)
  const headers = { 'content-type': 'application/json' }
  for (let round = 0; round < 2; round++)
    await call(watched.viewer, '/v1/traces/', { method: 'POST', headers, body: '{}' })
  await post(watched.viewer, 'traces', 'nonsense')
  await watched.page.getByTestId('refused').filter({ hasText: '3 requests refused' }).click()
  expect(await watched.page.getByRole('dialog').getByRole('listitem').allTextContents()).toEqual([
    '2 POST /v1/traces/: exports go to /v1/traces, /v1/metrics, /v1/logs',
    '1 the body is not a valid OTLP JSON traces request',
  ])
})
