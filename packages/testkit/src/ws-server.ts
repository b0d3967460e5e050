import type { Server } from 'node:http'
import type { WebSocketServer } from 'ws'

/** Closes a `ws` server and its http server with every connection, and resolves when that is over. */
export async function closeWsServer(wss: WebSocketServer, http: Server): Promise<void> {
  for (const socket of wss.clients) socket.terminate()
  wss.close()
  const ended = new Promise((resolve) => http.close(resolve))
  http.closeAllConnections()
  await ended
  // A socket whose listener threw is stuck and never tells its close: it is not waited for.
  for (let turn = 0; turn < 10 && wss.clients.size > 0; turn++) await new Promise(setImmediate)
}
