import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { connect } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

it('calls hook around without an SDK too', async () => {
  const wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  const kinds: string[] = []
  traceWebSocketServer(wss, {
    around(run, { kind }) {
      kinds.push(kind)
      return run()
    },
  })
  const closed = new Promise((resolve) => {
    wss.on('connection', (socket) => {
      socket.on('message', (data) => socket.send(String(data)))
      socket.on('close', resolve)
    })
  })
  await once(wss, 'listening')
  const client = await connect(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}/`)
  client.send('x')
  expect(await client.next()).toBe('x')
  await client.close(1000)
  await closed
  expect(kinds).toEqual(['open', 'message', 'disconnect'])
  wss.close()
})
