import { SpanReceiver } from '@otel-ws/demo-kit/testing'
import { Telemetry } from '@otel-ws/testkit'
import { launchBrowser } from '@otel-ws/testkit/browser'
import type { FastifyInstance } from 'fastify'
import type { Browser, Page } from 'playwright-core'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { createChatServer } from '../src/server.ts'

let browser: Browser
let telemetry: Telemetry
let receiver: SpanReceiver
let chat: FastifyInstance
let url: string

beforeEach(async () => {
  telemetry = new Telemetry()
  telemetry.install()
  receiver = await SpanReceiver.listen()
  chat = await createChatServer(false, { endpoint: receiver.endpoint })
  url = await chat.listen({ host: '127.0.0.1', port: 0 })
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
  await page.goto(url)
  await page.fill('#name', name)
  await page.click('#login-form button[type=submit]')
  await page.waitForSelector('#chat:not([hidden])')
  return page
}

it('runs one trace from the button of one page through the server to the screens of all', async () => {
  const ada = await enter('ada')
  const bob = await enter('bob')
  await bob.waitForFunction(() => document.querySelectorAll('#members li').length === 2)
  await ada.fill('#text', 'hello')
  await ada.click('#composer button')
  await bob.waitForFunction(() => document.querySelector('#lines')?.textContent?.includes('hello'))
  const [click] = await receiver.next(({ name }) => name === 'click say')
  const [send] = await receiver.next(({ name, parentSpanId }) => name === 'send say' && parentSpanId === click?.spanId)
  const processed = await telemetry.waitForSpan('process say')
  const broadcast = await telemetry.waitForSpan('broadcast said')
  const handled = await receiver.next(({ name }) => name === 'process said', 2)
  expect(processed.parentSpanContext?.spanId).toBe(send?.spanId)
  expect(broadcast.parentSpanContext?.spanId).toBe(processed.spanContext().spanId)
  expect(handled.map(({ parentSpanId }) => parentSpanId)).toEqual(
    [broadcast, broadcast].map((span) => span.spanContext().spanId),
  )
  expect([send, processed.spanContext(), broadcast.spanContext(), ...handled].map((span) => span?.traceId)).toEqual(
    Array(5).fill(click?.traceId),
  )
  const connects = await receiver.next(({ name }) => name === 'connect /chat/:room', 2)
  const handshakes = telemetry.spans('GET /chat/:room').map(({ parentSpanContext }) => parentSpanContext?.spanId)
  expect(handshakes.sort()).toEqual(connects.map(({ spanId }) => spanId).sort())
})
