import { type Span, trace } from '@opentelemetry/api'
import { traceSocketServer } from '@otel-ws/socket.io'
import { connect } from '@otel-ws/testkit'
import type { Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { joinByHand, joined, rawUrl } from './raw.ts'
import { useServers } from './server.ts'

const fixture = useServers()

/** The reason of the end, whatever `error` events come before it. */
function disconnect(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once('disconnect', resolve))
}

/** What the close table of the suite does not have: see `closeCases` in harness.ts. */
describe('close', () => {
  it('is a timeout when the client answers no heartbeat, and its listeners run in the disconnect span', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen({ pingInterval: 20, pingTimeout: 500 })
    traceSocketServer(server.io)
    const arrival = joined(server)
    const client = await connect(rawUrl(server))
    await joinByHand(client)
    const socket = await arrival
    let active: Span | undefined
    socket.on('disconnect', () => {
      active = trace.getActiveSpan()
    })
    expect(await disconnect(socket)).toBe('ping timeout')
    expect(active).toMatchObject({ name: 'disconnect /' })
    const close = await telemetry.waitForSpan('close /')
    expect(close.attributes).toMatchObject({
      'websocket.close.code': 1006,
      'websocket.close.category': 'timeout',
      'websocket.close.initiator': 'local',
      'error.type': 'timeout',
    })
    const missed = await telemetry.collect('websocket.server.ping.missed')
    expect(missed.map(({ value, attributes }) => [attributes['websocket.route'], value]).sort()).toEqual([
      ['/', 0],
      ['/socket.io', 1],
    ])
    client.socket.terminate()
  })

  it('is recorded once for each namespace of a client', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    server.io.of('/chat')
    const [main, chat] = [joined(server), joined(server, '/chat')]
    const client = await connect(rawUrl(server))
    await joinByHand(client)
    client.send('40/chat,')
    await Promise.all([main, chat])
    client.socket.close(4001)
    await telemetry.waitForSpan('close /chat')
    const closes = [await telemetry.waitForSpan('close /'), telemetry.span('close /chat')]
    expect(
      closes.map(({ attributes }) => [attributes['websocket.namespace'], attributes['websocket.close.code']]),
    ).toEqual([
      ['/', 4001],
      ['/chat', 4001],
    ])
    expect(new Set(closes.map(({ attributes }) => attributes['websocket.connection.id'])).size).toBe(2)
  })

  it('is forced by the server on polling too, when the client breaks the rules between two polls', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    const arrival = joined(server)
    const open = await (await fetch(`${server.url}/socket.io/?EIO=4&transport=polling`)).text()
    const session = `${server.url}/socket.io/?EIO=4&transport=polling&sid=${JSON.parse(open.slice(1)).sid}`
    await fetch(session, { method: 'POST', body: '40' })
    const disconnected = disconnect(await arrival)
    await (await fetch(session)).text()
    await fetch(session, { method: 'POST', body: '42/elsewhere,["hello"]' }).catch(() => {})
    expect(await disconnected).toBe('forced server close')
    const close = await telemetry.waitForSpan('close /')
    expect(close.attributes).toMatchObject({
      'websocket.close.code': 1008,
      'websocket.close.category': 'policy',
      'websocket.close.initiator': 'local',
      'websocket.transport': 'polling',
    })
  })
})
