import { jsonOperations, traceWebSocketServer } from '@otel-ws/ws'
import { control } from './control.ts'
import { echo, listen } from './echo.ts'
import { options } from './options.ts'
import { startSdk } from './sdk.ts'

// The echo of a message answers it.
const protocol = jsonOperations({ id: '$.id', name: '$.type', error: '$.error' })

const sdk = startSdk({ sampled: false, withMetrics: true })
const { server, port } = listen()
server.on('connection', echo)
traceWebSocketServer(server, { ...options, messageName: '$.type', protocol })
control(port, sdk)
