import { control } from './control.ts'
import { startSdk } from './sdk.ts'
import { tracedSocketIoEcho } from './socketio-traced.ts'

const sdk = startSdk({ sampled: true, withMetrics: false })
control(tracedSocketIoEcho(), sdk)
