import { existsSync } from 'node:fs'
import { mkdtemp, rename, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import sparticuz from '@sparticuz/chromium'
import { type Browser, chromium } from 'playwright-core'

const systemBrowsers = ['/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome']

/** Starts Chromium: the one that came with the npm packages or, where that lacks a library of the system, the system's. */
export async function launchBrowser(): Promise<Browser> {
  const args = ['--headless=shell', '--no-sandbox', '--font-render-hinting=none']
  const bundled = await unpacked()
  try {
    return await chromium.launch({ executablePath: bundled, args })
  } catch (error) {
    const system = systemBrowsers.find((path) => existsSync(path))
    const reason = error instanceof Error ? error.message.split('\n', 1)[0] : String(error)
    if (system === undefined)
      throw new Error(`Chromium does not start (${reason}) and none is installed`, { cause: error })
    process.emitWarning(`the bundled Chromium does not start; using ${system}`)
    return chromium.launch({ executablePath: system, args })
  }
}

/**
 * The bundled Chromium, unpacked into a folder of its own. The package unpacks into the system's temporary folder and
 * takes a file that is there for a complete one; two test files that start at once would launch half a browser.
 */
async function unpacked(): Promise<string> {
  const home = join(tmpdir(), 'otel-ws-chromium-147')
  if (!existsSync(home)) {
    const aside = await mkdtemp(`${home}-`)
    const { TMPDIR } = process.env
    process.env.TMPDIR = aside
    try {
      await sparticuz.executablePath()
    } finally {
      if (TMPDIR === undefined) delete process.env.TMPDIR
      else process.env.TMPDIR = TMPDIR
    }
    try {
      await rename(aside, home)
    } catch {
      // Another process was first.
      await rm(aside, { recursive: true, force: true })
    }
  }
  return join(home, 'chromium')
}
