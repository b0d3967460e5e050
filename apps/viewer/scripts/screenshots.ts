import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Page } from 'playwright-core'
import { startViewer } from '../src/index.ts'
import { ChatDay } from '../test/support/chat-day.ts'

// Writes a picture of each view to screenshots/, as the README shows them.
const folder = fileURLToPath(new URL('../screenshots/', import.meta.url))
await mkdir(folder, { recursive: true })

const viewer = await startViewer({ port: 0 })
const browser = await launchBrowser()
const day = new ChatDay(viewer.endpoint)

interface Shot {
  readonly name: string
  readonly theme: 'dark' | 'light'
  readonly hash: string
  /** Goes on from the address to what the picture shows. */
  readonly prepare: (page: Page) => Promise<void>
}

const shots: readonly Shot[] = [
  {
    name: 'traces',
    theme: 'dark',
    hash: '#/traces',
    prepare: (page) => page.locator('.traces tbody tr').first().waitFor(),
  },
  {
    name: 'trace',
    theme: 'light',
    hash: '#/traces?q=deliver',
    async prepare(page) {
      await page.locator('.list[aria-busy=false] tbody tr').first().click()
      await page.locator('.span-row').nth(1).click()
      await page.getByTestId('facts').getByText('Links to').waitFor()
    },
  },
  {
    name: 'connections',
    theme: 'dark',
    hash: '#/connections',
    prepare: (page) => page.locator('.connections tbody tr').first().waitFor(),
  },
  {
    name: 'connection',
    theme: 'light',
    hash: '#/connections?state=dropped&sort=messages',
    async prepare(page) {
      await page.locator('.list[aria-busy=false] tbody tr').nth(1).click()
      await page.locator('.timeline .mark').first().waitFor()
      await page.mouse.move(0, 0)
    },
  },
  {
    name: 'sessions',
    theme: 'dark',
    hash: '#/sessions?open=ada',
    prepare: (page) => page.locator('.life-bar').first().waitFor(),
  },
  {
    name: 'logs',
    theme: 'light',
    hash: '#/traces?pick=websocket.handshake.outcome%3Drejected',
    async prepare(page) {
      await page.locator('.list[aria-busy=false] tbody tr').first().click()
      await page.getByRole('region', { name: 'Logs of this span' }).waitFor()
    },
  },
  {
    name: 'metrics',
    theme: 'dark',
    hash: '#/metrics?last=60',
    async prepare(page) {
      // Charts of what happens now need some seconds of it.
      for (let second = 0; second < 45; second++) {
        day.play(Date.now() - 1000, 1, 14)
        await day.flush()
        await page.waitForTimeout(1000)
      }
      await page.locator('[data-panel=latency] canvas').waitFor()
    },
  },
]

try {
  day.play(Date.now() - 240_000, 240, 6)
  await day.flush()
  for (const { name, theme, hash, prepare } of shots) {
    const page = await browser.newPage({
      viewport: { width: 1280, height: 760 },
      colorScheme: theme,
      locale: 'en-GB',
    })
    page.on('pageerror', (error) => console.error(error.message))
    await page.goto(`${viewer.url}/${hash}`)
    await prepare(page)
    const path = `${folder}${name}.png`
    await page.screenshot({ path })
    console.log(`${name}.png ${Math.round((await stat(path)).size / 1000)} kB`)
    await page.close()
  }
} finally {
  await day.shutdown()
  await browser.close()
  await viewer.close()
}
