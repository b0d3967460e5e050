export { driver } from '@otel-ws/ws/adapter'
export { type AmbientScope, traceInstance } from './ambient.ts'
export { SCOPE } from './version.ts'
