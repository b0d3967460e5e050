export { driver } from './driver.ts'
export { type TracedServer, type TraceServerOptions, traceServer } from './server.ts'
export { traceServersOf } from './server-class.ts'
export { SCOPE } from './version.ts'
