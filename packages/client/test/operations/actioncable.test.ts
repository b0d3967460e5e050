import { SpanKind } from '@opentelemetry/api'
import { adapters, createConsumer } from '@rails/actioncable'
import { expect, it, vi } from 'vitest'
import { Operations, tracedClient, type WebSocket } from './fixture.ts'

const operations = new Operations()

/** A cable as Rails has it: npm has no server. */
function cable(socket: WebSocket): void {
  const send = (message: unknown) => socket.send(JSON.stringify(message))
  send({ type: 'welcome' })
  socket.on('message', (data) => {
    const { command, identifier } = JSON.parse(String(data)) as Record<string, string>
    if (command === 'subscribe') {
      if (identifier?.includes('Secret')) send({ type: 'reject_subscription', identifier })
      else {
        send({ type: 'confirm_subscription', identifier })
        send({ identifier, message: 1 })
        send({ identifier, message: 2 })
      }
    }
  })
}

it("records the subscriptions of Action Cable's client, with hashed identifiers", async () => {
  // The client is written for pages.
  vi.stubGlobal('addEventListener', () => {})
  vi.stubGlobal('removeEventListener', () => {})
  vi.stubGlobal('document', { visibilityState: 'hidden', addEventListener() {} })
  vi.stubGlobal('self', globalThis)
  const wss = await operations.serve({}, { handleProtocols: () => 'actioncable-v1-json' })
  wss.on('connection', cable)
  adapters.WebSocket = tracedClient() as never
  const consumer = createConsumer(operations.url.split('?')[0])
  let received = 0
  const subscription = await new Promise<{ unsubscribe(): void }>((resolve) => {
    const created = consumer.subscriptions.create(
      { channel: 'ChatChannel', room: 'lovelace' },
      { received: () => ++received === 2 && resolve(created) },
    )
  })
  subscription.unsubscribe()
  await new Promise<void>((resolve) =>
    consumer.subscriptions.create({ channel: 'SecretChannel' }, { rejected: () => resolve() }),
  )
  await operations.telemetry.waitForSpan('complete SecretChannel', 2)
  for (const { attributes } of operations.telemetry.spans('complete ChatChannel')) {
    expect(attributes).toMatchObject({
      'websocket.protocol': 'actioncable',
      'websocket.stream.items': 2,
      'websocket.operation.outcome': 'cancelled',
    })
    expect(attributes['websocket.operation.id']).toMatch(/^[0-9a-f]{8}$/)
  }
  expect(operations.facts('process SecretChannel')).toMatchObject({
    kind: SpanKind.SERVER,
    outcome: 'error',
    error: 'rejected',
  })
  expect(operations.recorded()).not.toContain('lovelace')
  consumer.disconnect()
  vi.unstubAllGlobals()
})
