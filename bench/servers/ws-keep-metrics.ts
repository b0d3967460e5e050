import { keepSampler, traceWebSocketServer } from '@otel-ws/ws'
import { control } from './control.ts'
import { echo, listen } from './echo.ts'
import { options } from './options.ts'
import { startSdk } from './sdk.ts'

const sdk = startSdk({ sampled: false, withMetrics: true, wrap: keepSampler })
const { server, port } = listen()
server.on('connection', echo)
traceWebSocketServer(server, { ...options, keep: { errors: true, slowerThan: 250 } })
control(port, sdk)
