export { driver } from './driver.ts'
export { type ServerSeams, type TracedServer, traceServer } from './server.ts'
