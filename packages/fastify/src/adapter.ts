export { driver } from '@otel-ws/ws/adapter'
export { AmbientScope, type AmbientTracer, traceInstance } from './ambient.ts'
export { SCOPE } from './version.ts'
