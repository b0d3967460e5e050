import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { Client } from '@stomp/stompjs'
import { expect, it } from 'vitest'
import { Operations, tracedClient, type WebSocket } from './fixture.ts'

const operations = new Operations()

/** A broker as STOMP 1.2 has it: npm has no server. */
function broker(socket: WebSocket): void {
  const frame = (command: string, headers: Record<string, string | undefined>, body = '') =>
    `${command}\n${Object.entries(headers)
      .map(([key, value]) => `${key}:${value}\n`)
      .join('')}\n${body}\0`
  socket.on('message', (data) => {
    const [head = ''] = String(data).split('\n\n')
    const [command, ...lines] = head.split('\n')
    const headers = Object.fromEntries(lines.map((line) => line.split(/:(.*)/s).slice(0, 2))) as Record<string, string>
    if (command === 'CONNECT') socket.send(frame('CONNECTED', { version: '1.2', 'heart-beat': '0,0' }))
    if (headers['receipt'] !== undefined) socket.send(frame('RECEIPT', { 'receipt-id': headers['receipt'] }))
    if (command === 'SUBSCRIBE') {
      for (const n of ['1', '2']) {
        const { id: subscription, destination } = headers
        socket.send(frame('MESSAGE', { subscription, destination, 'message-id': n }, 'private'))
      }
    }
  })
}

it("records the receipts and subscriptions of STOMP's client", async () => {
  const wss = await operations.serve({}, { handleProtocols: () => 'v12.stomp' })
  wss.on('connection', broker)
  const Socket = tracedClient()
  const client = new Client({
    webSocketFactory: () => new Socket(operations.url, ['v12.stomp']) as never,
    connectHeaders: { login: 'ada', passcode: 'hunter2' },
    reconnectDelay: 0,
  })
  await new Promise<void>((resolve) => {
    client.onConnect = () => resolve()
    client.activate()
  })
  await new Promise<void>((resolve) => {
    client.watchForReceipt('r-1', () => resolve())
    client.publish({ destination: '/queue/ada', body: 'private', headers: { receipt: 'r-1' } })
  })
  client.publish({ destination: '/queue/ada', body: 'private' })
  let count = 0
  await new Promise<void>((resolve) => {
    const subscription = client.subscribe('/topic/ada', () => {
      if (++count < 2) return
      subscription.unsubscribe()
      resolve()
    })
  })
  await operations.telemetry.waitForSpan('complete SUBSCRIBE', 2)
  const ok = { status: SpanStatusCode.UNSET, outcome: 'ok' }
  expect(operations.facts('send SEND')).toMatchObject({ ...ok, kind: SpanKind.CLIENT, type: 'call' })
  expect(operations.facts('process SEND')).toMatchObject({ ...ok, kind: SpanKind.SERVER })
  expect(operations.telemetry.spans('process SEND').map(({ kind }) => kind)).toEqual([
    SpanKind.SERVER,
    SpanKind.INTERNAL,
  ])
  for (const { attributes } of operations.telemetry.spans('complete SUBSCRIBE')) {
    expect(attributes).toMatchObject({
      'websocket.protocol': 'stomp',
      'websocket.stream.items': 2,
      'websocket.operation.outcome': 'cancelled',
    })
  }
  expect(operations.recorded()).not.toMatch(/hunter2|private|queue.ada/)
  await client.deactivate()
})
