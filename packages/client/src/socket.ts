/** The members of a WebSocket that are used: those of browsers, of Node and of `ws`. */
export interface WebSocketLike {
  readonly readyState: number
  readonly url: string
  readonly protocol: string
  readonly bufferedAmount: number
  send(data: never): void
  close(code?: number, reason?: string): void
  addEventListener(type: never, listener: never, options?: never): void
  removeEventListener(type: never, listener: never, options?: never): void
}

export const OPEN = 1
