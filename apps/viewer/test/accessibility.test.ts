import { launchBrowser } from '@otel-ws/testkit/browser'
import axe from 'axe-core'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startViewer, type Viewer } from '../src/index.ts'
import { ChatDay } from './support/chat-day.ts'
import { logsRequest, post, read } from './support/client.ts'

let browser: Browser
let viewer: Viewer
let day: ChatDay

beforeAll(async () => {
  browser = await launchBrowser()
  viewer = await startViewer({ port: 0 })
  day = new ChatDay(viewer.endpoint)
  day.play(Date.now() - 120_000, 120, 6)
  await day.flush()
  await post(viewer, 'logs', logsRequest())
}, 60_000)
afterAll(async () => {
  await day.shutdown()
  await viewer.close()
  await browser.close()
})

/** Addresses of every view, with nothing and with something open. */
const views = [
  ['traces', '.traces tbody tr'],
  ['traces?q=deliver&open=first', '.span-row'],
  ['traces?q=summarize&open=first&against=-', '.comparison tbody tr'],
  ['connections', '.connections tbody tr'],
  ['connections?state=dropped&open=first', '.timeline .mark'],
  ['sessions', '.sessions tbody tr'],
  ['sessions?open=ada', '.life-bar'],
  ['logs', '.logs tbody tr'],
  ['logs?open=1', '.pane pre'],
  ['metrics', '[data-panel=latency] canvas'],
] as const

async function open(view: string, theme: 'dark' | 'light', width = 1280): Promise<Page> {
  const page = await browser.newPage({ viewport: { width, height: 800 }, colorScheme: theme, locale: 'en-GB' })
  const url = new URL(view, 'http://view')
  if (url.searchParams.get('open') === 'first') {
    url.searchParams.delete('open')
    const { rows } = await read<{ rows: { id: string }[] }>(viewer, `${url.pathname.slice(1)}${url.search}`)
    url.searchParams.set('open', rows[0]!.id)
  }
  await page.goto(`${viewer.url}/#${url.pathname}${url.search}`)
  return page
}

interface Finding {
  readonly id: string
  readonly impact: string
  readonly nodes: readonly { readonly html: string }[]
}

const themes = ['dark', 'light'] as const

/** What axe finds on a page, with the first elements of each finding. */
async function findings(page: Page): Promise<unknown[]> {
  await page.addScriptTag({ content: axe.source })
  const violations = await page.evaluate<Finding[]>('axe.run().then(({ violations }) => violations)')
  return violations.map(({ id, impact, nodes }) => [id, impact, nodes.slice(0, 3).map(({ html }) => html)])
}

/** The page's own policy allows no script but its own: axe comes from the browser. */
async function allowScripts(page: Page): Promise<void> {
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Page.setBypassCSP', { enabled: true })
  await page.reload()
}

test.each(views.flatMap(([view, shown]) => themes.map((theme) => [view, theme, shown] as const)))(
  'axe finds nothing on %s in the %s theme',
  async (view, theme, shown) => {
    const page = await open(view, theme)
    try {
      await page.locator(shown).first().waitFor()
      await allowScripts(page)
      await page.locator(shown).first().waitFor()
      expect(await findings(page)).toEqual([])
    } finally {
      await page.close()
    }
  },
)

test.each(['File', 'Clear', 'Keyboard and help'].flatMap((button) => themes.map((theme) => [button, theme] as const)))(
  'axe finds nothing in the dialog of "%s" in the %s theme',
  async (button, theme) => {
    const page = await open('traces', theme)
    try {
      await allowScripts(page)
      await page.locator('.traces tbody tr').first().waitFor()
      await page.getByRole('button', { name: button, exact: true }).click()
      await page.getByRole('dialog').waitFor()
      expect(await findings(page)).toEqual([])
    } finally {
      await page.close()
    }
  },
)

test.each([
  ['traces', 640],
  ['traces?q=deliver&open=first', 900],
  ['connections', 900],
  ['connections?state=dropped&open=first', 640],
  ['sessions?open=ada', 900],
  ['metrics', 640],
])('%s does not scroll sideways at %i pixels', async (view, width) => {
  const page = await open(view, 'dark', width)
  try {
    await page.locator('.list tbody tr, .board').first().waitFor()
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(width)
  } finally {
    await page.close()
  }
})

test('at 900 pixels a connection says why it was closed and what waits to be sent', async () => {
  const page = await open('connections?state=dropped', 'light', 900)
  try {
    const first = page.locator('.connections tbody tr').first()
    await first.waitFor()
    for (const column of ['close', 'buffered', 'traffic']) {
      expect(await first.locator(`td.${column}`).first().isVisible()).toBe(true)
    }
    const close = first.locator('td.close strong')
    const box = await close.boundingBox()
    expect(box!.x + box!.width).toBeLessThan(890)
  } finally {
    await page.close()
  }
})
