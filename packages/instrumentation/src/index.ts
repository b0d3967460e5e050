export type { HostInstrumentationConfig } from './host-instrumentation.ts'
export { WsInstrumentation } from './ws-instrumentation.ts'
