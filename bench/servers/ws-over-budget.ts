import { traceWebSocketServer } from '@otel-ws/ws'
import { control } from './control.ts'
import { echo, listen } from './echo.ts'
import { options } from './options.ts'
import { startSdk } from './sdk.ts'

const sdk = startSdk({ sampled: true, withMetrics: false })
const { server, port } = listen()
server.on('connection', echo)
// One span in a quarter of an hour: every message is over it.
traceWebSocketServer(server, { ...options, maxSpansPerSecond: 0.001 })
control(port, sdk)
