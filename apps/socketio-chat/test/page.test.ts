import { SpanReceiver } from '@otel-ws/demo-kit/testing'
import { Telemetry } from '@otel-ws/testkit'
import { launchBrowser } from '@otel-ws/testkit/browser'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ChatServer, startChatServer } from '../src/server.ts'

let browser: Browser
let telemetry: Telemetry
let receiver: SpanReceiver
let chat: ChatServer

beforeEach(async () => {
  telemetry = new Telemetry()
  telemetry.install()
  receiver = await SpanReceiver.listen()
  const page = { endpoint: receiver.endpoint }
  chat = await startChatServer({ node: 'node-1', port: 0, page, onError: () => {} })
  browser = await launchBrowser()
}, 120_000)

afterEach(async () => {
  await browser.close()
  await chat.close()
  receiver.close()
  await telemetry.uninstall()
})

async function enter(name: string): Promise<Page> {
  const page = await browser.newPage()
  await page.goto(chat.url)
  await page.fill('#name', name)
  await page.click('#login-form button[type=submit]')
  await page.waitForSelector('#chat:not([hidden])')
  await page.waitForFunction(() => document.querySelectorAll('#members li').length > 0)
  return page
}

it('runs one trace from the button of one page through the server to the screen of another', async () => {
  const ada = await enter('ada')
  const bob = await enter('bob')
  await ada.fill('#text', 'hello')
  await ada.click('#composer button')
  await bob.waitForFunction(() => document.querySelector('#lines')?.textContent?.includes('hello'))
  const [click] = await receiver.next(({ name }) => name === 'click say')
  const [send] = await receiver.next(({ name, parentSpanId }) => name === 'send say' && parentSpanId === click?.spanId)
  const processed = await telemetry.waitForSpan('process say')
  const broadcast = await telemetry.waitForSpan('broadcast said')
  const handled = await receiver.next(({ name }) => name === 'process said')
  expect(processed.parentSpanContext?.spanId).toBe(send?.spanId)
  expect(broadcast.parentSpanContext?.spanId).toBe(processed.spanContext().spanId)
  expect(handled[0]?.parentSpanId).toBe(broadcast.spanContext().spanId)
  expect([send, processed.spanContext(), broadcast.spanContext(), ...handled].map((span) => span?.traceId)).toEqual(
    Array(4).fill(click?.traceId),
  )
})
