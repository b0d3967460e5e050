import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { Socket } from 'phoenix'
import { expect, it } from 'vitest'
import { Operations, tracedClient, type WebSocket } from './fixture.ts'

const operations = new Operations()

/** Channels as version 2 of the serializer has them: npm has no server. */
function channels(socket: WebSocket): void {
  socket.on('message', (data) => {
    const [joinRef, ref, topic, event] = JSON.parse(String(data)) as string[]
    const reply = (status: string, response = {}) =>
      socket.send(JSON.stringify([joinRef, ref, topic, 'phx_reply', { status, response }]))
    if (event === 'fail') reply('error', { reason: 'secret' })
    else reply('ok')
    if (event === 'phx_join') socket.send(JSON.stringify([null, null, topic, 'presence', {}]))
  })
}

it("records what Phoenix's client pushes, by the status of the reply", async () => {
  const wss = await operations.serve()
  wss.on('connection', channels)
  const socket = new Socket(operations.url.split('?')[0] as string, {
    transport: tracedClient() as never,
    params: { token: 'hunter2' },
  })
  socket.connect()
  const channel = socket.channel('room:ada', { password: 'hunter2' })
  const settled = (push: { receive(status: string, callback: () => void): unknown }) =>
    new Promise<void>((resolve) => {
      push.receive('ok', resolve)
      push.receive('error', resolve)
    })
  await settled(channel.join())
  await settled(channel.push('say', { text: 'private' }))
  await settled(channel.push('fail', {}))
  await operations.telemetry.waitForSpan('process fail')
  const ok = { status: SpanStatusCode.UNSET, outcome: 'ok' }
  expect(operations.facts('process phx_join')).toMatchObject({ ...ok, kind: SpanKind.SERVER, type: 'join' })
  expect(operations.facts('send phx_join')).toMatchObject({ ...ok, kind: SpanKind.CLIENT })
  expect(operations.facts('process say')).toMatchObject({ ...ok, kind: SpanKind.SERVER, type: 'call' })
  expect(operations.facts('send fail')).toMatchObject({ outcome: 'error', status: SpanStatusCode.ERROR })
  expect(operations.telemetry.span('process presence').kind).toBe(SpanKind.INTERNAL)
  expect(operations.telemetry.span('process say').attributes['websocket.protocol']).toBe('phoenix')
  expect(operations.recorded()).not.toMatch(/hunter2|secret|private|room:ada/)
  await new Promise<void>((resolve) => socket.disconnect(resolve))
})
