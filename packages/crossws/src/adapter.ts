export { traceNodeAdapter } from './node-adapter.ts'
export { driver } from './peer.ts'
export { SCOPE } from './version.ts'
