import { traceSocketServer } from '@otel-ws/socket.io'
import { options } from './options.ts'
import { socketIoEcho } from './socketio.ts'

/** The Socket.IO application with the tracing of otel-ws for the whole server; the routes are its namespaces. */
export function tracedSocketIoEcho(): Promise<number> {
  const { route: _, ...others } = options
  return socketIoEcho((io) => traceSocketServer(io, others))
}
