import { type Agreement, override, textOf } from '@otel-ws/core/adapter'
import type { WebSocket } from 'ws'

type Send = (this: WebSocket, data: unknown, options?: unknown, ...rest: unknown[]) => void

/**
 * Keeps an agreement on a socket that is traced no longer: the peer goes on sending carriers, and takes out what looks
 * like one. What came is given to the application without them, and what it sends reaches the peer as it is.
 */
export function honour(socket: WebSocket, { member }: Agreement): void {
  const ownEmit = socket.emit as (this: WebSocket, ...args: unknown[]) => boolean
  const ownSend = socket.send as Send
  /** A text of which a fragment with anything in it has been sent. */
  let isBegun = false

  function emit(this: WebSocket, type: string, data?: unknown, binary?: unknown): boolean {
    const text = type === 'message' && binary === false ? textOf(data) : undefined
    const found = text === undefined ? undefined : member.remove(text)
    if (found?.carrier === undefined) return ownEmit.apply(this, arguments as unknown as unknown[])
    return ownEmit.call(this, type, found.payload, binary)
  }

  function send(this: WebSocket, data: unknown, options?: unknown): void {
    const settings = (typeof options === 'object' && options !== null ? options : {}) as SendSettings
    const isText = !isBegun && !(settings.binary ?? typeof data !== 'string')
    const text = isText ? textOf(data) : undefined
    const isPart = settings.fin === false
    const given = text !== undefined && member.admits(text) ? member.wrap(data, text, undefined, isPart) : data
    ownSend.apply(this, given === data ? (arguments as unknown as [unknown]) : [given, ...rest(arguments)])
    isBegun = isPart && (isBegun || data !== '')
  }

  override(socket, 'emit', emit)
  override(socket, 'send', send)
}

interface SendSettings {
  readonly binary?: boolean
  readonly fin?: boolean
}

function rest(args: ArrayLike<unknown>): unknown[] {
  return Array.prototype.slice.call(args, 1)
}
