import { traceWebSocketServer } from '@otel-ws/ws'
import { control } from './control.ts'
import { echo, listen } from './echo.ts'
import { options } from './options.ts'

const { server, port } = listen()
server.on('connection', echo)
traceWebSocketServer(server, options)
control(port)
