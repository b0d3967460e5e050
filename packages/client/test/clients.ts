import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { type ServerOptions, WebSocketServer, WebSocket as WsClient } from 'ws'

const ADDRESS = '127.0.0.1'

/** A kind of client, as the tests drive it. */
export interface ClientKind {
  readonly name: string
  connect(url: string, protocols?: string[]): WebSocket
}

/** Node's own WebSocket client, where this version of Node has one. */
const { WebSocket: GlobalWebSocket } = globalThis as { WebSocket?: typeof WebSocket }

/** The kinds of clients that this version of Node has. */
export const kinds: readonly ClientKind[] = [
  { name: 'ws', connect: (url, protocols = []) => new WsClient(url, protocols) as unknown as WebSocket },
  ...(GlobalWebSocket === undefined
    ? []
    : [
        {
          name: "Node's WebSocket",
          connect: (url: string, protocols: string[] = []) => new GlobalWebSocket(url, protocols),
        },
      ]),
]

/** A `ws` server on a port of its own. */
export async function listen(options: ServerOptions = {}): Promise<{ wss: WebSocketServer; url: string }> {
  const wss = new WebSocketServer({ port: 0, host: ADDRESS, ...options })
  await once(wss, 'listening')
  return { wss, url: `ws://${ADDRESS}:${(wss.address() as AddressInfo).port}/chat/lobby?token=secret` }
}

/** Resolves with the next event of that type. */
export function event<T = Event>(socket: EventTarget, type: string): Promise<T> {
  return new Promise((resolve) => socket.addEventListener(type, (occurred) => resolve(occurred as T), { once: true }))
}

export async function close(wss: WebSocketServer): Promise<void> {
  for (const socket of wss.clients) socket.terminate()
  await new Promise((resolve) => wss.close(resolve))
}
