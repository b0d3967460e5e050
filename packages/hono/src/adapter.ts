export { driver } from '@otel-ws/ws/adapter'
export { traceNodeServer, traceNodeWs } from './ambient.ts'
export { SCOPE } from './version.ts'
