import { SocketIoInstrumentation } from '@opentelemetry/instrumentation-socket.io'
import { control } from './control.ts'
import { startSdk } from './sdk.ts'
import { socketIoEcho } from './socketio.ts'

const sdk = startSdk({ sampled: true, withMetrics: false })
new SocketIoInstrumentation()
control(socketIoEcho(), sdk)
