import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { describe, expect, it } from 'vitest'
import { useApps } from './apps.ts'

const apps = useApps()

describe('an application whose WebSocket plugin listens on another HTTP server', () => {
  it.each([false, true])('is traced with routes and rejections; otelWs registered last: %s', async (last) => {
    const server = createServer()
    const app = await apps.create({ websocket: { options: { server } }, last })
    app.get('/chat/:room', { websocket: true }, (socket) => {
      socket.on('message', (data) => socket.send(data.toString()))
    })
    app.get('/closed', { websocket: true, onRequest: async (_request, reply) => reply.code(401).send('no') }, () => {})
    await app.ready()
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    const url = `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
    const client = await apps.connect(`${url}/chat/lobby`)
    client.send('x')
    expect(await client.next()).toBe('x')
    await client.close(1000)
    expect(await apps.refused(`${url}/closed`)).toBe(401)
    const ended = new Promise((resolve) => server.close(resolve))
    server.closeAllConnections()
    await ended
    await apps.telemetry.waitForSpan('close /chat/:room')
    const names = ['GET', 'close', 'open', 'process', 'send'].map((name) => `${name} /chat/:room`)
    expect(apps.telemetry.names()).toEqual([...names, 'GET /closed'].sort())
  })
})
