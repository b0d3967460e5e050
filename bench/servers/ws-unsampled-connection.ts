import { traceWebSocketServer } from '@otel-ws/ws'
import { control } from './control.ts'
import { echo, listen } from './echo.ts'
import { options } from './options.ts'
import { startSdk } from './sdk.ts'

const sdk = startSdk({ sampled: false, withMetrics: false })
const { server, port } = listen()
server.on('connection', echo)
traceWebSocketServer(server, { ...options, messageSampling: 'connection' })
control(port, sdk)
