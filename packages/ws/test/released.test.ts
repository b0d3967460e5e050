import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createTelemetry, type Telemetry as ServerTelemetry } from '@otel-ws/core/adapter'
import { connect, Telemetry, type TestClient } from '@otel-ws/testkit'
import { driver, traceServer } from '@otel-ws/ws/adapter'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

const CARRIED = '{"_otel":{"traceparent":"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"},"a":1}'

describe('a connection that has agreed, and is traced no longer', () => {
  let telemetry: Telemetry
  let server: ServerTelemetry
  let wss: WebSocketServer
  let client: TestClient
  let socket: WebSocket

  beforeEach(async () => {
    telemetry = new Telemetry()
    telemetry.install()
    server = createTelemetry({}, { name: 'test', version: '0' }, driver)
    wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    await once(wss, 'listening')
    traceServer(wss, server)
    const opened = once(wss, 'connection')
    client = await connect(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`, [], { headers: { 'otel-ws': '1' } })
    socket = (await opened)[0]
    server.release()
  })

  afterEach(async () => {
    for (const each of wss.clients) each.terminate()
    await new Promise((resolve) => wss.close(resolve))
    await telemetry.uninstall()
  })

  it('gives the application what came without its carrier, and binary messages as they are', async () => {
    const seen: unknown[] = []
    const received = new Promise<void>((resolve) => {
      socket.on('message', (data, binary) => {
        seen.push([data.toString(), binary])
        if (seen.length === 3) resolve()
      })
    })
    client.send(CARRIED)
    client.send(Buffer.from(CARRIED))
    client.send('{"a":1}')
    await received
    expect(seen).toEqual([
      ['{"a":1}', false],
      [CARRIED, true],
      ['{"a":1}', false],
    ])
    expect(telemetry.spans('process')).toEqual([])
  })

  it('sends what the application sends so that the peer gives it back as it was', async () => {
    const error = await new Promise((resolve) => socket.send(CARRIED, resolve))
    expect(error).toBeFalsy()
    expect(await client.next()).toBe(CARRIED.replace('{', '{"_otel":{},'))
    socket.send(Buffer.from(CARRIED), { binary: false })
    expect(await client.next()).toBe(CARRIED.replace('{', '{"_otel":{},'))
    socket.send(Buffer.from(CARRIED))
    expect(await client.nextMessage()).toEqual({ data: Buffer.from(CARRIED), binary: true })
    socket.send('{"a":1}')
    expect(await client.next()).toBe('{"a":1}')
    socket.send('', { fin: false })
    socket.send('{"_ot', { fin: false })
    socket.send('{"_otel":{', { fin: false })
    socket.send('"}')
    expect(await client.next()).toBe('{"_otel":{},"_ot{"_otel":{"}')
  })

  it('of a client that has not agreed has the methods that it had', async () => {
    const opened = once(wss, 'connection')
    await connect(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`)
    const [other] = (await opened) as [WebSocket]
    expect(Object.hasOwn(other, 'send')).toBe(true)
    server.release()
    expect(Object.hasOwn(other, 'send')).toBe(false)
    expect(Object.hasOwn(socket, 'send')).toBe(true)
  })
})
