import { SpanStatusCode, trace } from '@opentelemetry/api'
import { traceSocketServer } from '@otel-ws/socket.io'
import { connect, encodeFrame, OPCODE, rawConnect, type TestClient } from '@otel-ws/testkit'
import type { Socket } from 'socket.io'
import { describe, expect, it } from 'vitest'
import { joinByHand, joined, rawUrl } from './raw.ts'
import { type Listening, useServers } from './server.ts'

const fixture = useServers()

interface Case {
  readonly reason: string
  readonly code: number
  readonly category: string
  readonly initiator: string
  readonly isError?: boolean
  act(client: TestClient, socket: Socket, server: Listening): unknown
}

/** The reason of the end, whatever `error` events come before it. */
function disconnect(socket: Socket): Promise<string> {
  return new Promise((resolve) => socket.once('disconnect', resolve))
}

const cases: Record<string, Case> = {
  'the client leaves the namespace': {
    reason: 'client namespace disconnect',
    ...{ code: 1000, category: 'normal', initiator: 'remote' },
    act: (client) => client.send('41'),
  },
  'the server disconnects the socket': {
    reason: 'server namespace disconnect',
    ...{ code: 1000, category: 'normal', initiator: 'local' },
    act: (_, socket) => socket.disconnect(),
  },
  'the server disconnects the client': {
    reason: 'server namespace disconnect',
    ...{ code: 1000, category: 'normal', initiator: 'local' },
    act: (_, socket) => socket.disconnect(true),
  },
  'the server shuts down': {
    reason: 'server shutting down',
    ...{ code: 1001, category: 'going_away', initiator: 'local' },
    act: (_, __, { io }) => void io.close(),
  },
  'the client closes without a code': {
    reason: 'transport close',
    ...{ code: 1005, category: 'no_status', initiator: 'remote' },
    act: (client) => client.socket.close(),
  },
  'the client goes away': {
    reason: 'transport close',
    ...{ code: 1001, category: 'going_away', initiator: 'remote' },
    act: (client) => client.socket.close(1001),
  },
  'the client is cut off': {
    reason: 'transport close',
    ...{ code: 1006, category: 'abnormal', initiator: 'network' },
    act: (client) => client.socket.terminate(),
  },
  'the application closes the connection below': {
    reason: 'forced close',
    ...{ code: 1005, category: 'no_status', initiator: 'local' },
    act: (_, socket) => socket.conn.close(),
  },
  'the client speaks to a namespace that it is not in': {
    reason: 'forced close',
    ...{ code: 1008, category: 'policy', initiator: 'local' },
    act: (client) => client.send('42/elsewhere,["hello"]'),
  },
  'a packet of Engine.IO cannot be read': {
    reason: 'parse error',
    ...{ code: 1002, category: 'protocol_error', initiator: 'local', isError: true },
    act: (client) => client.send('9'),
  },
  'a packet of Socket.IO cannot be read': {
    reason: 'forced close',
    ...{ code: 1007, category: 'protocol_error', initiator: 'local', isError: true },
    act: (client) => client.send('42{"no":"event"}'),
  },
  'a message is too big': {
    reason: 'transport error',
    ...{ code: 1009, category: 'too_big', initiator: 'local', isError: true },
    act: (client) => client.send('x'.repeat(2000)),
  },
}

describe('close', () => {
  it.each(Object.keys(cases))('is told truly when %s', async (name) => {
    const { reason, code, category, initiator, isError, act } = cases[name] as Case
    const { telemetry } = fixture
    const server = await fixture.listen({ maxHttpBufferSize: 1000 })
    traceSocketServer(server.io, { closeReason: true })
    const arrival = joined(server)
    const client = await connect(rawUrl(server))
    await joinByHand(client)
    const socket = await arrival
    const disconnected = disconnect(socket)
    act(client, socket, server)
    expect(await disconnected).toBe(reason)

    const close = await telemetry.waitForSpan('close /')
    expect(close.attributes).toMatchObject({
      'websocket.namespace': '/',
      'websocket.close.code': code,
      'websocket.close.category': category,
      'websocket.close.initiator': initiator,
      'websocket.close.reason': reason,
      'websocket.transport': 'websocket',
    })
    expect(close.status.code).toBe(isError === true ? SpanStatusCode.ERROR : SpanStatusCode.UNSET)
    client.socket.terminate()
    await client.closed
    expect(telemetry.spans('close /')).toHaveLength(1)
  })

  it('has code 1007 when a text message is not valid text', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    const arrival = joined(server)
    const client = await rawConnect(rawUrl(server))
    await client.nextFrame()
    client.write(encodeFrame(OPCODE.text, '40'))
    const socket = await arrival
    const disconnected = disconnect(socket)
    client.write(encodeFrame(OPCODE.text, Buffer.from([0xc3, 0x28])))
    expect(await disconnected).toBe('transport error')
    const close = await telemetry.waitForSpan('close /')
    expect(close.attributes).toMatchObject({ 'websocket.close.code': 1007, 'websocket.close.initiator': 'local' })
    client.socket.destroy()
  })

  it('is a timeout when the client answers no heartbeat, and its listeners run outside of the handshake', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen({ pingInterval: 20, pingTimeout: 500 })
    traceSocketServer(server.io)
    const arrival = joined(server)
    const client = await connect(rawUrl(server))
    await joinByHand(client)
    const socket = await arrival
    let active: unknown = 'not called'
    socket.on('disconnect', () => {
      active = trace.getActiveSpan()
    })
    expect(await disconnect(socket)).toBe('ping timeout')
    expect(active).toBeUndefined()
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
