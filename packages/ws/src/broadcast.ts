import { tracedConnection } from '@otel-ws/core/adapter'
import { byteLength } from '@otel-ws/core/node'
import type { WebSocket } from 'ws'
import { OPEN } from './host.ts'

/** Options of {@link broadcast}: those of `send`, and a name. */
export interface BroadcastOptions {
  /** Name of the message. Default: what option `messageName` finds in it. */
  name?: string
  binary?: boolean
  compress?: boolean
}

/**
 * Sends the same data to every socket that is open. It is recorded as one `broadcast` span with the number of recipients
 * and of sockets that were skipped. Sockets that are not traced are sent to as well.
 *
 * @returns the number of sockets that the data was sent to
 */
export function broadcast(
  sockets: Iterable<WebSocket>,
  data: Parameters<WebSocket['send']>[0],
  options: BroadcastOptions = {},
): number {
  const { name, ...sendOptions } = options
  const targets = [...sockets]
  const send = () => {
    let recipients = 0
    for (const socket of targets) {
      if (socket.readyState !== OPEN) {
        tracedConnection(socket)?.broadcastSkipped()
        continue
      }
      socket.send(data, sendOptions)
      recipients++
    }
    return recipients
  }
  const [first, ...others] = targets
    .map((socket) => tracedConnection(socket))
    .filter((connection) => connection !== undefined)
  if (first === undefined) return send()
  const binary = options.binary ?? (typeof data !== 'string' && typeof data !== 'number')
  return first.services.sendBatch.broadcast([first, ...others], data, binary, byteLength(data), name, send)
}
