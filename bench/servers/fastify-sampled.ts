import { control } from './control.ts'
import { tracedFastifyEcho } from './fastify-traced.ts'
import { startSdk } from './sdk.ts'

const sdk = startSdk({ sampled: true, withMetrics: false })
control(tracedFastifyEcho(), sdk)
