import { control } from './control.ts'
import { tracedFastifyEcho } from './fastify-traced.ts'

control(tracedFastifyEcho())
