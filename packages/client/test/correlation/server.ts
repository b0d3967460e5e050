import type { AddressInfo } from 'node:net'
import { Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { WebSocketServer } from 'ws'
import { reportOf } from './report.ts'
import { sendByWs } from './sends.ts'

// One server, in a process of its own, for one connection: it tells its port, then what it has told of the connection.
const telemetry = new Telemetry()
telemetry.install()
const wss = new WebSocketServer({ port: 0, host: '127.0.0.1', perMessageDeflate: process.argv[2] === 'compressed' })
traceWebSocketServer(wss, { route: '/chat' })

wss.on('connection', (socket) => {
  socket.on('message', async (data) => {
    if (data.toString() !== 'end') return
    await sendByWs(socket)
    socket.close(1000)
  })
  socket.on('close', async () => {
    await telemetry.waitForSpan('close /chat')
    process.send?.(reportOf(telemetry), () => process.disconnect())
    wss.close()
  })
})
wss.on('listening', () => process.send?.((wss.address() as AddressInfo).port))
