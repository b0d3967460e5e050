import type { UpgradeRequest } from '../options/types.ts'

/** The other end of a connection. */
export interface Peer {
  readonly address?: string | undefined
  readonly port?: number | undefined
}

/** What a socket of Node's keeps to itself. */
interface NodeSocket {
  readonly _handle?: unknown
  readonly _peername?: unknown
  readonly _getpeername?: () => Peer | undefined
}

/**
 * Asks a request's socket for its peer. A socket of Node's keeps the answer for life, which costs memory, and tells it
 * even after the end, which it would not have done without us: a stand-in with the same handle is asked in its place.
 */
export function peerOf(request: UpgradeRequest): Peer {
  const socket = request.socket as (NonNullable<UpgradeRequest['socket']> & NodeSocket) | undefined
  if (socket === undefined) return {}
  const { _handle, _peername, _getpeername } = socket
  if (_handle && _peername == null && typeof _getpeername === 'function') {
    const answer = _getpeername.call({ _handle } as NodeSocket)
    if (answer?.address !== undefined) return answer
  }
  return { address: socket.remoteAddress, port: socket.remotePort }
}
