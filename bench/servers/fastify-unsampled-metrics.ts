import { control } from './control.ts'
import { tracedFastifyEcho } from './fastify-traced.ts'
import { startSdk } from './sdk.ts'

const sdk = startSdk({ sampled: false, withMetrics: true })
control(tracedFastifyEcho(), sdk)
