import { once } from 'node:events'
import { expect, it } from 'vitest'
import { Operations, tracedClient } from './fixture.ts'

const operations = new Operations()

// Both ends are written from the specification: on Node, pusher-js contains a client that is no `ws`, which cannot be seen.
it("records the subscriptions of Pusher's protocol, with hashed channels", async () => {
  const wss = await operations.serve({ protocol: 'pusher' })
  wss.on('connection', (socket) => {
    const send = (message: unknown) => socket.send(JSON.stringify(message))
    send({ event: 'pusher:connection_established', data: '{"socket_id":"1.1"}' })
    socket.on('message', (text) => {
      const { event, data } = JSON.parse(String(text)) as { event: string; data: { channel: string } }
      if (event === 'pusher:ping') send({ event: 'pusher:pong', data: {} })
      if (event !== 'pusher:subscribe') return
      const { channel } = data
      send({ event: 'pusher_internal:subscription_succeeded', channel, data: '{}' })
      send({ event: 'order', channel, data: '{"total":"private"}' })
    })
  })
  const Client = tracedClient({ protocol: 'pusher' })
  const socket = new Client(operations.url)
  await once(socket, 'open')
  const channel = 'private-ada'
  const send = (event: string, data: unknown) => socket.send(JSON.stringify({ event, data }))
  const received: string[] = []
  const ordered = new Promise<void>((resolve) =>
    socket.on('message', (text) => {
      const { event } = JSON.parse(String(text)) as { event: string }
      received.push(event)
      if (event === 'order') resolve()
    }),
  )
  send('pusher:subscribe', { channel, auth: 'hunter2' })
  await ordered
  send('pusher:ping', {})
  send('pusher:unsubscribe', { channel })
  await operations.telemetry.waitForSpan('complete pusher:subscribe', 2)
  for (const { attributes } of operations.telemetry.spans('complete pusher:subscribe')) {
    expect(attributes).toMatchObject({
      'websocket.protocol': 'pusher',
      'websocket.stream.items': 1,
      'websocket.operation.outcome': 'cancelled',
    })
  }
  expect(operations.names()).toEqual(['complete pusher:subscribe', 'process pusher:subscribe', 'send pusher:subscribe'])
  expect(operations.recorded()).not.toMatch(/hunter2|private/)
  socket.close()
})
