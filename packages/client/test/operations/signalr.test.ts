import { HttpTransportType, HubConnectionBuilder, LogLevel } from '@microsoft/signalr'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { expect, it } from 'vitest'
import { Operations, tracedClient, type WebSocket } from './fixture.ts'

const operations = new Operations()
const END = '\u001e'

/** A hub as the specification of the JSON protocol has it: npm has no server. */
function hub(socket: WebSocket): void {
  const send = (...records: unknown[]) => socket.send(records.map((record) => JSON.stringify(record) + END).join(''))
  socket.on('message', (data) => {
    for (const text of String(data).split(END).slice(0, -1)) {
      const { type, protocol, invocationId, target } = JSON.parse(text) as Record<string, unknown>
      if (protocol !== undefined) send({})
      else if (type === 1 && target === 'Fail') send({ type: 3, invocationId, error: 'secret' })
      else if (type === 1 && invocationId !== undefined) send({ type: 3, invocationId, result: 'ok' })
      else if (type === 1) send({ type: 1, target: 'Notify', arguments: [] })
      else if (type === 4) {
        send({ type: 2, invocationId, item: 1 }, { type: 2, invocationId, item: 2 }, { type: 3, invocationId })
      }
    }
  })
}

it("records the invocations and streams of SignalR's client, several records in one message", async () => {
  const wss = await operations.serve()
  wss.on('connection', hub)
  const connection = new HubConnectionBuilder()
    .withUrl(operations.url.replace('ws:', 'http:'), {
      transport: HttpTransportType.WebSockets,
      skipNegotiation: true,
      WebSocket: tracedClient(),
    } as never)
    .configureLogging(LogLevel.None)
    .build()
  const notified = new Promise<void>((resolve) => connection.on('Notify', resolve))
  await connection.start()
  expect(await connection.invoke('Greet', 'Ada')).toBe('ok')
  await connection.invoke('Fail').catch(() => {})
  await connection.send('Note')
  await notified
  const items = await new Promise<unknown[]>((resolve, reject) => {
    const all: unknown[] = []
    connection
      .stream('Count')
      .subscribe({ next: (item) => all.push(item), complete: () => resolve(all), error: reject })
  })
  expect(items).toEqual([1, 2])
  await operations.telemetry.waitForSpan('complete Count', 2)
  const ok = { status: SpanStatusCode.UNSET, outcome: 'ok' }
  expect(operations.facts('process Greet')).toMatchObject({ ...ok, kind: SpanKind.SERVER, type: 'call' })
  expect(operations.facts('send Greet')).toMatchObject({ ...ok, kind: SpanKind.CLIENT })
  expect(operations.facts('process Fail')).toMatchObject({ outcome: 'error', status: SpanStatusCode.ERROR })
  expect(operations.telemetry.span('process Note').kind).toBe(SpanKind.INTERNAL)
  for (const { attributes } of operations.telemetry.spans('complete Count')) {
    expect(attributes).toMatchObject({ 'websocket.protocol': 'signalr', 'websocket.stream.items': 2 })
  }
  expect(operations.recorded()).not.toMatch(/secret|Ada/)
  await connection.stop()
})
