import { expect, test } from 'vitest'
import { logsRequest, post } from '../support/client.ts'
import { hex, int, otlpSpan, text } from '../support/otlp.ts'
import { watchedViewer } from '../support/watched-viewer.ts'

const watched = watchedViewer()
const { rows, send } = watched

test('the reason of a rejected login is two clicks away, in the log of its trace', async () => {
  const attributes = [
    text('websocket.handshake.outcome', 'rejected'),
    int('http.response.status_code', 401),
    text('websocket.route', '/chat'),
  ]
  await send(otlpSpan({ trace: 1, span: 1, name: 'GET /chat', kind: 2, attributes }))
  await post(
    watched.viewer,
    'logs',
    logsRequest({ traceId: hex(1, 32), spanId: hex(1, 16), body: { stringValue: 'token of ada expired' } }),
  )
  await watched.page.goto(watched.viewer.url)
  await watched.page.getByRole('link', { name: /Rejected handshakes/ }).click()
  await watched.page.locator('.list[aria-busy=false] tbody tr').first().click()
  const lines = watched.page.getByRole('region', { name: 'Logs of this span' })
  await lines.getByText('token of ada expired').waitFor()
  // And from there to the record with all that it carries, and back to its trace.
  await lines.getByRole('link').click()
  await watched.page.getByRole('region', { name: 'Log record' }).getByRole('link', { name: 'its trace →' }).click()
  await watched.page.getByTestId('facts').getByRole('heading', { name: 'GET /chat' }).waitFor()
})

test('logs are listed as they come, and filtered by level and search', async () => {
  await watched.page.goto(`${watched.viewer.url}/#/logs`)
  await watched.page.getByText('Waiting for the first log record').waitFor()
  await post(watched.viewer, 'logs', logsRequest({ severityNumber: 9, body: { stringValue: 'server listens' } }))
  await post(watched.viewer, 'logs', logsRequest({ severityNumber: 17, body: { stringValue: 'pool exhausted' } }))
  await rows().nth(1).waitFor()
  await watched.page.getByLabel('Level').selectOption('warn')
  await watched.page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 logs/ })
    .waitFor()
  expect(await rows().locator('.name').allTextContents()).toEqual(['pool exhausted'])
  await watched.page.getByLabel('Level').selectOption('')
  await watched.page.getByRole('combobox', { name: 'Search' }).fill('listens')
  await watched.page
    .getByTestId('matching')
    .filter({ hasText: /^1 of 2 logs/ })
    .waitFor()
  expect(await rows().locator('.name').allTextContents()).toEqual(['server listens'])
  expect(await watched.page.title()).toBe('Logs · listens · otel-ws viewer')
})
