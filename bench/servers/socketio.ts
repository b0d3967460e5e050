import { once } from 'node:events'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import type * as SocketIo from 'socket.io'

/** No heartbeat comes between the messages that are counted. */
const PING_INTERVAL = 600_000

/**
 * The application of every Socket.IO server here, on a free port of the loopback interface: sends each `echo` back and
 * each `news` to all. Loaded by `require`, where instrumentations can reach it.
 */
export async function socketIoEcho(prepare?: (io: SocketIo.Server) => void): Promise<number> {
  const { Server } = createRequire(import.meta.url)('socket.io') as typeof SocketIo
  const http = createServer()
  const io = new Server(http, { pingInterval: PING_INTERVAL, serveClient: false })
  prepare?.(io)
  io.on('connection', (socket) => {
    socket.on('echo', (data: string) => {
      socket.emit('echo', data)
    })
    socket.on('news', (data: string) => {
      io.emit('news', data)
    })
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  return (http.address() as AddressInfo).port
}
