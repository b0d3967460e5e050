import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createTelemetry } from '@otel-ws/core/adapter'
import { passThroughEnds, passThroughSuite } from '@otel-ws/testkit/suites'
import { traceWebSocketServer } from '@otel-ws/ws'
import { driver, SCOPE, traceServerClass } from '@otel-ws/ws/adapter'
import { WebSocket, WebSocketServer } from 'ws'

const ends = passThroughEnds()

passThroughSuite(
  'a socket of ws',
  { send: { replaces: [1, 2] }, emit: {}, close: {}, terminate: {}, ping: {} },
  async (originals) => {
    class OwnSocket extends WebSocket {}
    Object.assign(OwnSocket.prototype, originals)
    const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', WebSocket: OwnSocket })
    traceWebSocketServer(wss)
    await once(wss, 'listening')
    const client = new WebSocket(`ws://127.0.0.1:${(wss.address() as AddressInfo).port}`)
    const opened = once(client, 'open')
    const [socket] = (await once(wss, 'connection')) as [OwnSocket]
    await opened
    ends.push(
      () => client.terminate(),
      () => (socket as unknown as { _socket: { destroy(): void } })._socket.destroy(),
      () => new Promise((resolve) => wss.close(resolve)),
    )
    return socket
  },
)

passThroughSuite('a server of ws', { emit: {}, handleUpgrade: { replaces: [3] } }, (originals) => {
  class OwnServer extends WebSocketServer {}
  const wss = new OwnServer({ noServer: true })
  Object.assign(OwnServer.prototype, originals)
  traceWebSocketServer(wss)
  return wss
})

passThroughSuite('a server of ws without code', { emit: {}, handleUpgrade: { replaces: [3] } }, (originals) => {
  class OwnServer extends WebSocketServer {}
  const wss = new OwnServer({ noServer: true })
  Object.assign(OwnServer.prototype, originals)
  const own = createTelemetry({}, SCOPE, driver)
  ends.push(traceServerClass(OwnServer, () => own))
  return wss
})
