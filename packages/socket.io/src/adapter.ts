export { driver } from './driver.ts'
export { type TracedServer, traceServer } from './server.ts'
