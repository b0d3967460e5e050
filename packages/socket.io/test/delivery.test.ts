import { SpanStatusCode } from '@opentelemetry/api'
import { traceSocketServer } from '@otel-ws/socket.io'
import { describe, expect, it } from 'vitest'
import { joined } from './raw.ts'
import { type Listening, useServers } from './server.ts'

const fixture = useServers()

/** A client by hand that has joined over polling and does not poll any more: its transport takes nothing. */
async function joinWithoutPolling(server: Listening): Promise<string> {
  const open = await (await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).text()
  const session = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${JSON.parse(open.slice(1)).sid}`
  await fetch(session, { method: 'POST', body: '40' })
  await (await fetch(session)).text()
  return session
}

/** A traced server, and one socket on it whose transport takes nothing. */
async function serveWithoutPolling() {
  const server = await fixture.listen()
  traceSocketServer(server.io)
  const arrival = joined(server)
  const session = await joinWithoutPolling(server)
  return { server, session, socket: await arrival }
}

describe('delivery', () => {
  it('of a volatile event that the host dropped is counted as a drop, and its span says so', async () => {
    const { telemetry } = fixture
    const { server, socket } = await serveWithoutPolling()
    socket.volatile.emit('position', 1)
    server.io.volatile.emit('positions', 2)
    socket.emit('kept', 3)
    const dropped = await telemetry.waitForSpan('send position')
    expect(dropped.attributes).toMatchObject({ 'websocket.send.undelivered.reason': 'volatile' })
    expect(dropped.attributes['websocket.message.sequence']).toBeUndefined()
    expect(dropped.status.code).toBe(SpanStatusCode.UNSET)
    expect(telemetry.span('broadcast positions').attributes).toMatchObject({ 'websocket.broadcast.recipients': 0 })
    const undelivered = await telemetry.collect('websocket.server.send.undelivered')
    expect(undelivered).toMatchObject([
      { value: 2, attributes: { 'websocket.namespace': '/', 'websocket.send.undelivered.reason': 'volatile' } },
    ])
    const sent = (await telemetry.collect('websocket.server.messages')).map(({ value }) => value)
    expect(sent).toEqual([1])
    socket.disconnect(true)
  })

  it('waits for the next poll, and fails when no poll comes before the connection closes', async () => {
    const { telemetry } = fixture
    const { session, socket } = await serveWithoutPolling()
    socket.emit('waits', 1)
    await telemetry.waitUntilStarted('send waits')
    expect(await (await fetch(session)).text()).toBe('42["waits",1]')
    const delivered = await telemetry.waitForSpan('send waits')
    expect(delivered.status.code).toBe(SpanStatusCode.UNSET)

    socket.emit('lost', 2)
    await telemetry.waitUntilStarted('send lost')
    socket.conn.close(true)
    const lost = await telemetry.waitForSpan('send lost')
    expect(lost.status.code).toBe(SpanStatusCode.ERROR)
    expect(lost.attributes['error.type']).toBe('disconnected')
    expect(await telemetry.collect('websocket.server.send.undelivered')).toMatchObject([
      { value: 1, attributes: { 'websocket.send.undelivered.reason': 'error' } },
    ])
  })

  it('fails for each event that is still buffered when the connection closes, also those of a broadcast', async () => {
    const { telemetry } = fixture
    const { server, socket } = await serveWithoutPolling()
    server.io.emit('told', 1)
    socket.emit('first', 2)
    socket.emit('second', 3)
    await telemetry.waitUntilStarted('send second')
    socket.conn.close(true)
    for (const name of ['send first', 'send second']) {
      expect((await telemetry.waitForSpan(name)).attributes['error.type']).toBe('disconnected')
    }
    expect(telemetry.span('broadcast told').attributes).toMatchObject({ 'websocket.broadcast.recipients': 1 })
    expect(await telemetry.collect('websocket.server.send.undelivered')).toMatchObject([
      { value: 3, attributes: { 'websocket.send.undelivered.reason': 'error' } },
    ])
  })

  it('of attachments is recorded with all of their bytes, in both directions', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io, { sessionId: true })
    const arrival = joined(server)
    const client = await fixture.join(server)
    const socket = await arrival
    socket.on('file', (name: string, bytes: Buffer) => socket.emit('stored', { name, bytes }))
    const stored = new Promise((resolve) => client.once('stored', resolve))
    client.emit('file', 'a', Buffer.alloc(300))
    expect(await stored).toMatchObject({ name: 'a' })
    const process = await telemetry.waitForSpan('process file')
    const placeholder = '{"_placeholder":true,"num":0}'
    expect(process.attributes).toMatchObject({
      'websocket.message.type': 'binary',
      'websocket.message.size': `51-["file","a",${placeholder}]`.length + 300,
      'websocket.session.id': socket.id,
    })
    expect((await telemetry.waitForSpan('send stored')).attributes).toMatchObject({
      'websocket.message.type': 'binary',
      'websocket.message.size': `51-["stored",{"name":"a","bytes":${placeholder}}]`.length + 300,
      'websocket.session.id': socket.id,
    })
  })
})
