import { Telemetry } from '@otel-ws/testkit'
import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { SpanReceiver } from './span-receiver.ts'

/** A chat that serves its page. */
export interface PageServer {
  readonly url: string
  close(): Promise<unknown>
}

/** A chat, the browser that has its pages open, and the telemetry of both. */
export class ChatPages {
  /** Of the server, which is in this process. */
  readonly telemetry = new Telemetry()
  /** Takes the spans of the pages. */
  receiver!: SpanReceiver
  #server: PageServer | undefined
  #browser: Browser | undefined

  async open(start: (endpoint: string) => Promise<PageServer>): Promise<void> {
    this.telemetry.install()
    this.receiver = await SpanReceiver.listen()
    this.#server = await start(this.receiver.endpoint)
    this.#browser = await launchBrowser()
  }

  async close(): Promise<void> {
    await this.#browser?.close()
    await this.#server?.close()
    this.receiver.close()
    await this.telemetry.uninstall()
  }

  /** Opens a page and enters the chat; resolves when the page shows who is there, `members` of them. */
  async enter(name: string, members: number): Promise<Page> {
    const { url } = this.#server as PageServer
    const page = await (this.#browser as Browser).newPage()
    await page.goto(url)
    await page.fill('#name', name)
    await page.click('#login-form button[type=submit]')
    await page
      .locator('#members li')
      .nth(members - 1)
      .waitFor()
    return page
  }
}

/** Declares what the pages of every chat promise, and returns the pages that each test of the file has for itself. */
export function chatPageSuite(start: (endpoint: string) => Promise<PageServer>): { current: ChatPages } {
  const pages = { current: new ChatPages() }

  beforeEach(async () => {
    pages.current = new ChatPages()
    await pages.current.open(start)
  }, 120_000)
  afterEach(() => pages.current.close())

  it('runs one trace from the button of one page through the server to the screens of all', async () => {
    const { telemetry, receiver } = pages.current
    const ada = await pages.current.enter('ada', 1)
    const bob = await pages.current.enter('bob', 2)
    await ada.locator('#members', { hasText: 'bob' }).waitFor()
    await ada.fill('#text', 'hello')
    await ada.click('#composer button')
    await bob.locator('#lines', { hasText: 'hello' }).waitFor()
    const [click] = await receiver.next(({ name }) => name === 'click say')
    const [send] = await receiver.next(
      ({ name, parentSpanId }) => name === 'send say' && parentSpanId === click?.spanId,
    )
    const processed = await telemetry.waitForSpan('process say')
    const broadcast = await telemetry.waitForSpan('broadcast said')
    const handled = await receiver.next(({ name }) => name === 'process said', 2)
    expect(processed.parentSpanContext?.spanId).toBe(send?.spanId)
    expect(broadcast.parentSpanContext?.spanId).toBe(processed.spanContext().spanId)
    expect(handled.map(({ parentSpanId }) => parentSpanId)).toEqual(Array(2).fill(broadcast.spanContext().spanId))
    expect([send, processed.spanContext(), broadcast.spanContext(), ...handled].map((span) => span?.traceId)).toEqual(
      Array(5).fill(click?.traceId),
    )
  })

  return pages
}
