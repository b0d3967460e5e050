import { tracedConnection } from '@otel-ws/core/adapter'
import { byteLength } from '@otel-ws/core/node'
import { sendFragment } from './fragments.ts'
import { type Methods, OPEN, type Socket } from './host.ts'
import { injectInto, transmit } from './transmit.ts'

/** The options of `send` that are read. */
export interface SendOptions {
  readonly binary?: boolean
  readonly fin?: boolean
}

/** Creates the wrapper of a socket's `send`. */
export function createSend(own: Methods) {
  return function send(this: Socket, data: unknown, options?: unknown): void {
    const args = arguments as unknown as unknown[]
    const connection = tracedConnection(this)
    if (connection === undefined) {
      own.send.apply(this, args)
      return
    }
    const settings = (typeof options === 'object' && options !== null ? options : undefined) as SendOptions | undefined
    const binary = settings?.binary ?? (typeof data !== 'string' && typeof data !== 'number')
    const size = byteLength(data)
    if (this.readyState !== OPEN) {
      own.send.apply(this, args)
      connection.sendSkipped(data, binary, size)
      return
    }
    if (settings?.fin === false || connection.partialSend !== undefined) {
      sendFragment(this, own, args, connection, { isLast: settings?.fin !== false, binary, size })
      return
    }
    const message = connection.startSend(data, binary, size)
    const injected = injectInto(own, args, connection, binary, message)
    if (message === undefined && !connection.services.metrics.recording) {
      own.send.apply(this, injected as unknown[])
      connection.countSent(binary, size)
      return
    }
    try {
      transmit(this, own, injected, connection, size, message)
    } catch (error) {
      message?.failed(error)
      throw error
    }
    const sequence = connection.countSent(binary, size)
    message?.sent(connection, sequence)
  }
}
