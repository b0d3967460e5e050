import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect } from 'vitest'
import { startViewer, type Viewer } from '../../src/index.ts'
import { post } from './client.ts'
import { type otlpSpan, text } from './otlp.ts'

/** Starts a viewer for each test of a file, with a page in Chromium that must print no error. */
export function watchedViewer() {
  let browser: Browser
  let viewer: Viewer
  let page: Page
  let problems: string[]

  beforeAll(async () => {
    browser = await launchBrowser()
  }, 60_000)
  afterAll(() => browser.close())
  beforeEach(async () => {
    viewer = await startViewer({ port: 0, maxSpans: 8000 })
    page = await browser.newPage({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' })
    page.setDefaultTimeout(10_000)
    problems = []
    page.on('pageerror', (error) => problems.push(error.message))
    // Also what the content security policy refused is printed here.
    page.on('console', (message) => {
      if (message.type() === 'error') problems.push(message.text())
    })
  })
  afterEach(async () => {
    await page.close()
    await viewer.close()
    expect(problems).toEqual([])
  })

  return {
    get viewer() {
      return viewer
    },
    get page() {
      return page
    },
    /** Rows of the list. */
    rows: () => page.locator('.list tbody tr'),
    /** Exports spans of one process to the viewer. */
    async send(...spans: readonly ReturnType<typeof otlpSpan>[]): Promise<void> {
      const resource = { attributes: [text('service.name', 'chat'), text('service.instance.id', 'node-1')] }
      const answer = await post(viewer, 'traces', { resourceSpans: [{ resource, scopeSpans: [{ spans }] }] })
      expect(answer).toMatchObject({ status: 200 })
    },
  }
}
