import { type HostDriver, tracedConnection } from '@otel-ws/core/adapter'
import { peerOf } from '@otel-ws/core/node'
import type { EngineSocket, Socket } from './host.ts'
import { untraceClient } from './io-client.ts'
import { untraceSocket } from './io-socket.ts'
import { chunkSize } from './packet-size.ts'
import { untraceTransport } from './transport.ts'

export const driver: HostDriver<Socket> = {
  // Socket.IO events have names, so no name is read from the payload.
  text: () => '',
  peer: peerOf,
  bufferedAmount(socket) {
    return isFirstTraced(socket) ? bufferedBytes(socket.conn) : 0
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

/** The sockets of a client share its buffers, so only the first one that is traced reports them. */
function isFirstTraced(socket: Socket): boolean {
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
