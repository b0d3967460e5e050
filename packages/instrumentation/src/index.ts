export { FastifyWebSocketInstrumentation } from './fastify-instrumentation.ts'
export { HostInstrumentation, type HostInstrumentationConfig } from './host-instrumentation.ts'
export { WebSocketInstrumentation } from './websocket-instrumentation.ts'
export { WsInstrumentation } from './ws-instrumentation.ts'
