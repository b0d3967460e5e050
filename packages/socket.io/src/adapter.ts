export { driver } from './driver.ts'
export { type ServerSeams, type TracedServer, traceServer } from './server.ts'
export { traceServersOf } from './server-class.ts'
export { SCOPE } from './version.ts'
