import type { Server } from 'node:http'
import type { ServerOptions, WebSocket, WebSocketServer } from 'ws'
import { kindOf } from '../shared/kind-of.ts'
import type { HostOptions, HostSocket } from './harness.ts'

/**
 * The socket of the suites for one of `ws`. With a handler of messages or of the close it has a listener of errors too,
 * without which a broken frame would end the process.
 */
export function wsHostSocket(raw: WebSocket): HostSocket {
  const ignoreErrors = (): void => {
    if (raw.listenerCount('error') === 0) raw.on('error', () => {})
  }
  return {
    raw,
    send: (data) => raw.send(data),
    close: (code, reason) => raw.close(code, reason),
    terminate: () => raw.terminate(),
    onMessage(handler) {
      ignoreErrors()
      raw.on(
        'message',
        kindOf(handler, (data: unknown, binary: boolean) => handler(binary ? (data as Buffer) : String(data))),
      )
    },
    onClose(listener) {
      ignoreErrors()
      raw.once('close', listener)
    },
    ping: (data) => raw.ping(data),
    onPong(listener) {
      raw.on('pong', (data) => listener(data.toString()))
    },
  }
}

/** Options of a `ws` server that do what a test asks of its host. */
export function wsServerOptions({ authorize, maxMessageSize, server }: HostOptions): ServerOptions {
  return {
    ...(authorize !== undefined && {
      async verifyClient({ req }, answer) {
        const status = await authorize(req.url ?? '')
        if (status === undefined) answer(true)
        else answer(false, status)
      },
    }),
    ...(maxMessageSize !== undefined && { maxPayload: maxMessageSize }),
    ...server,
  }
}

/** Closes a `ws` server and its http server with every connection, and resolves when that is over. */
export async function closeWsServer(wss: WebSocketServer, http: Server): Promise<void> {
  for (const socket of wss.clients) socket.terminate()
  wss.close()
  const ended = new Promise((resolve) => http.close(resolve))
  http.closeAllConnections()
  await ended
  // A socket whose listener threw is stuck and never emits `close`: it is not waited for.
  for (let turn = 0; turn < 10 && wss.clients.size > 0; turn++) await new Promise(setImmediate)
}
