import { chatPageSuite } from '@otel-ws/demo-kit/testing'
import { expect, it } from 'vitest'
import { createChatServer } from '../src/server.ts'

const pages = chatPageSuite(async (endpoint) => {
  const chat = await createChatServer(false, { endpoint })
  return { url: await chat.listen({ host: '127.0.0.1', port: 0 }), close: () => chat.close() }
})

it("puts each handshake below the page's connect", async () => {
  const { telemetry, receiver } = pages.current
  await pages.current.enter('ada', 1)
  await pages.current.enter('bob', 2)
  const connects = await receiver.next(({ name }) => name === 'connect /chat/:room', 2)
  const handshakes = telemetry.spans('GET /chat/:room').map(({ parentSpanContext }) => parentSpanContext?.spanId)
  expect(handshakes.sort()).toEqual(connects.map(({ spanId }) => spanId).sort())
})
