import type { Connection, PartialMessage } from '@otel-ws/core/adapter'
import type { Methods, Socket } from './host.ts'
import { injectInto, transmit } from './transmit.ts'

/** A fragment that is about to be sent. */
export interface Fragment {
  readonly isLast: boolean
  readonly binary: boolean
  readonly size: number
}

/** Sends one fragment of a message. The message is recorded when its last fragment is sent, with the time of its first. */
export function sendFragment(
  socket: Socket,
  own: Methods,
  args: ArrayLike<unknown>,
  connection: Connection,
  { isLast, binary, size }: Fragment,
): void {
  const before = connection.partialSend
  const fragments: PartialMessage = before ?? { startedAt: performance.now(), binary, size: 0, count: 0 }
  // The first fragment that is not empty carries the context.
  const injected =
    fragments.size === 0 ? injectInto(own, args, connection, fragments.binary, undefined, fragments) : args
  if (!isLast) {
    try {
      own.send.apply(socket, injected as unknown[])
    } catch (error) {
      if (before === undefined) connection.abandonFragments(fragments, error)
      throw error
    }
    fragments.size += size
    fragments.count++
    connection.partialSend = fragments
    return
  }
  connection.partialSend = undefined
  const total = fragments.size + size
  const message = connection.startLastFragment(fragments, total)
  try {
    transmit(socket, own, injected, connection, size, message)
  } catch (error) {
    message?.failed(error)
    throw error
  }
  const sequence = connection.countSent(fragments.binary, total)
  message?.sent(connection, sequence, fragments.count + 1)
}
