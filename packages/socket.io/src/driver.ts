import { type HostDriver, tracedConnection } from '@otel-ws/core/adapter'
import { untraceClient } from './client.ts'
import type { EngineSocket, Socket } from './host.ts'
import { chunkSize } from './payload.ts'
import { untraceSocket } from './socket.ts'
import { untraceTransport } from './transport.ts'

export const driver: HostDriver<Socket> = {
  // Events have names: none is looked for in the payload.
  text: () => '',
  bufferedAmount(socket) {
    return standsForClient(socket) ? bufferedBytes(socket.conn) : 0
  },
  terminate(socket) {
    ;(socket as { disconnect(close: boolean): unknown } & Socket).disconnect(true)
  },
  release(socket) {
    untraceSocket(socket)
    untraceClient(socket.client)
    untraceTransport(socket.conn)
  },
}

/** The sockets of a client share its buffers: the first that is traced stands for all. */
function standsForClient(socket: Socket): boolean {
  for (const other of socket.client.sockets.values()) {
    if (tracedConnection(other) !== undefined) return other === socket
  }
  return false
}

function bufferedBytes({ writeBuffer, transport }: EngineSocket): number {
  let bytes = transport.socket?.bufferedAmount ?? 0
  for (const { data } of writeBuffer) bytes += chunkSize(data)
  return bytes
}
