import { type ConnectionContext, connectionOf as connectionOfSocket } from '@otel-ws/core'
import type { WSContext } from 'hono/ws'

/** The context of a traced connection; `undefined` if it is not traced. Always the same object for a connection. */
export function connectionOf(socket: WSContext | object): ConnectionContext | undefined {
  const { raw } = socket as WSContext
  return connectionOfSocket(typeof raw === 'object' && raw !== null ? raw : socket)
}
