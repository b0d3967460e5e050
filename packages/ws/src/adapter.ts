export { dispatch, emitsPlainly } from './dispatch.ts'
export { type ServerSeams, type TracedServer, traceServer } from './server.ts'
export { driver } from './socket.ts'
export { beginHandshake, watchUpgrades } from './upgrade.ts'
