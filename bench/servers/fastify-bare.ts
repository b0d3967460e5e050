import { control } from './control.ts'
import { fastifyEcho } from './fastify-echo.ts'

control(fastifyEcho())
