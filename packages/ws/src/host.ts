import type { Duplex } from 'node:stream'
import type { WebSocket } from 'ws'

/** Values of `readyState`. */
export const OPEN = 1
export const CLOSED = 3

/** A `ws` socket with its private members that are read: they are the only source of these facts. */
export type Socket = WebSocket & {
  readonly _closeFrameReceived?: boolean
  readonly _closeCode?: number
  readonly _closeMessage?: Buffer | string
  readonly _socket?: Duplex | null
}

/** The original methods of a socket, which the wrappers call. */
export interface Methods {
  readonly emit: WebSocket['emit']
  readonly send: (...args: unknown[]) => void
  /** True if `send` is the method of `ws` itself and not of a subclass. */
  readonly isHostSend: boolean
  readonly close: WebSocket['close']
  readonly terminate: WebSocket['terminate']
  readonly ping: (...args: unknown[]) => void
}
