import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { traceWebSocket } from '../src/index.ts'

// This door of zone.js has no declarations. Here it is there before any listener is.
await import('zone.js/node' as string)

let telemetry: Telemetry
let server: WebSocketServer

beforeEach(async () => {
  telemetry = new Telemetry()
  telemetry.install()
  server = new WebSocketServer({ port: 0 })
  await once(server, 'listening')
  server.on('connection', (socket) => socket.send('hello'))
})
afterEach(async () => {
  for (const client of server.clients) client.terminate()
  server.close()
  await telemetry.uninstall()
})

it.each(['addEventListener', 'on', 'once'] as const)(
  'follows async listeners behind those of zone.js: %s',
  async (how) => {
    const bare = new WebSocket(`ws://127.0.0.1:${(server.address() as AddressInfo).port}`)
    const socket = traceWebSocket(bare as never, { route: '/zone' }) as unknown as WebSocket
    let release: () => void = () => {}
    const held = new Promise<void>((resolve) => {
      const listener = async () => {
        await new Promise<void>((open) => {
          release = open
          resolve()
        })
      }
      if (how === 'addEventListener') socket.addEventListener('message', listener)
      else socket[how]('message', listener)
    })
    await held
    await new Promise((resolve) => setImmediate(resolve))
    expect(telemetry.openSpans()).toContain('process /zone')
    release()
    const { attributes } = await telemetry.waitForSpan('process /zone')
    expect(attributes['websocket.process.end']).toBeUndefined()
    expect(telemetry.diagnostics).toEqual([])
  },
)
