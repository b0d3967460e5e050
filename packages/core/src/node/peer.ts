import type { UpgradeRequest } from '../options/types.ts'
import type { Peer } from '../services/driver.ts'

/** Private members of Node's `net.Socket`. */
interface NodeSocket {
  readonly _handle?: unknown
  readonly _peername?: unknown
  readonly _getpeername?: () => Peer | undefined
}

/**
 * The peer of a request's socket. Reading `remoteAddress` would make Node's socket cache the answer for life: that costs
 * memory, and the address would still be readable after the end, which the application would notice. So the answer is
 * taken from the same handle through a stand-in.
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
