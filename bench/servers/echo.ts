import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type WebSocket, WebSocketServer } from 'ws'

/** The application of every server here: sends each message back. */
export function echo(socket: WebSocket): void {
  socket.on('message', (data, isBinary) => {
    socket.send(data, { binary: isBinary })
  })
}

/** A raw ws server on a free port of the loopback interface. */
export function listen(): { server: WebSocketServer; port: Promise<number> } {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0 })
  return { server, port: once(server, 'listening').then(() => (server.address() as AddressInfo).port) }
}
