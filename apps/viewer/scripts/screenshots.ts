import { mkdir, stat } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import type { Page } from 'playwright-core'
import { startViewer } from '../src/index.ts'
import { launchBrowser } from '../test/support/browser.ts'
import { ChatDay } from '../test/support/chat-day.ts'

// Writes a picture of each view to screenshots/, in both themes where it matters.
const folder = fileURLToPath(new URL('../screenshots/', import.meta.url))
await mkdir(folder, { recursive: true })

const viewer = await startViewer({ port: 0 })
const browser = await launchBrowser()
const day = new ChatDay(viewer.endpoint)
const begin = Date.now() - 240_000
// Minute by minute: an export carries one point in time, and a chart needs several.
for (let second = 0; second < 240; second += 4) {
  day.play(begin + second * 1000, 4, 6)
}
await day.flush()

async function shoot(page: Page, name: string): Promise<void> {
  const path = `${folder}${name}.png`
  await page.screenshot({ path })
  console.log(name, `${Math.round((await stat(path)).size / 1024)} kB`)
}

async function open(colorScheme: 'dark' | 'light', hash: string): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 760 }, colorScheme, locale: 'en-GB' })
  page.on('console', (message) => console.log(message.type(), message.text()))
  page.on('pageerror', (error) => console.log('page error', error.message))
  await page.goto(`${viewer.url}/${hash}`)
  await page.waitForSelector('tbody tr, .chart')
  return page
}

try {
  for (const theme of ['dark', 'light'] as const) {
    const page = await open(theme, '#/traces')
    await shoot(page, `traces-${theme}`)
    await page.goto(`${viewer.url}/#/traces?service=chat-node-2`)
    await page.locator('tbody tr').first().click()
    await page.waitForSelector('.facts')
    await shoot(page, `trace-${theme}`)
    await page.goto(`${viewer.url}/#/connections`)
    await page.waitForSelector('.connections tbody tr')
    await shoot(page, `connections-${theme}`)
    await page.goto(`${viewer.url}/#/connections?state=dropped&sort=messages`)
    await page.locator('.connections tbody tr').nth(1).click()
    await page.waitForSelector('.timeline svg .mark')
    await shoot(page, `connection-${theme}`)
    // The page redraws its charts every second: some seconds of live traffic give them lines.
    await page.goto(`${viewer.url}/#/metrics?window=60`)
    for (let second = 0; second < (theme === 'dark' ? 40 : 1); second++) {
      day.play(Date.now() - 1000, 1, 14)
      await day.flush()
      await page.waitForTimeout(1000)
    }
    await page.waitForSelector('.uplot canvas')
    await shoot(page, `metrics-${theme}`)
    await page.close()
  }
} finally {
  await day.shutdown()
  await browser.close()
  await viewer.close()
}
