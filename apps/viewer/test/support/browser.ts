import { existsSync } from 'node:fs'
import sparticuz from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Starts Chromium: the one that came with the npm packages or, where that lacks a library of the system, the system's. */
export async function launchBrowser(): Promise<Browser> {
  const args = ['--headless=shell', '--no-sandbox', '--font-render-hinting=none']
  const bundled = await sparticuz.executablePath()
  try {
    return await chromium.launch({ executablePath: bundled, args })
  } catch (error) {
    const system = systemBrowsers.find((path) => existsSync(path))
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    if (system === undefined)
      throw new Error(`Chromium does not start (${reason}) and none is installed`, { cause: error })
    console.warn(`The bundled Chromium does not start; using ${system}`)
    return chromium.launch({ executablePath: system, args })
  }
}
