import type { Duplex } from 'node:stream'
import type { SendMethod } from '@otel-ws/core/node'
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
export interface Methods extends SendMethod {
  readonly emit: WebSocket['emit']
  readonly close: WebSocket['close']
  readonly terminate: WebSocket['terminate']
  readonly ping: (...args: unknown[]) => void
}
