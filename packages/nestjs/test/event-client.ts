import { connect, type TestClient } from '@otel-ws/testkit'
import { io, type Socket } from 'socket.io-client'
import type { Platform } from './app.ts'

/** A message of the server: an event, or on `platform-ws` a value without one. */
export type Answer = readonly [event: string | undefined, data: unknown]

/** A client of gateways, the same for every platform. */
export interface EventClient {
  emit(event: string, data?: unknown): void
  /** Sends an event and resolves with its acknowledgement; on `platform-socket.io` only. */
  request(event: string, data?: unknown): Promise<unknown>
  /** The next answer of the server. */
  next(): Promise<Answer>
  close(): Promise<void>
}

export async function connectClient(platform: Platform, url: string): Promise<EventClient> {
  return platform === 'platform-ws' ? new WsClient(await connect(url)) : SocketIoClient.connect(url)
}

class WsClient implements EventClient {
  readonly #client: TestClient

  constructor(client: TestClient) {
    this.#client = client
  }

  emit(event: string, data?: unknown): void {
    this.#client.send(JSON.stringify({ event, data }))
  }

  request(): Promise<unknown> {
    throw new Error('platform-ws has no acknowledgements')
  }

  async next(): Promise<Answer> {
    const message = JSON.parse(await this.#client.next()) as { event?: string; data?: unknown } | string
    return typeof message === 'object' ? [message.event, message.data] : [undefined, message]
  }

  async close(): Promise<void> {
    await this.#client.close(1000)
  }
}

class SocketIoClient implements EventClient {
  readonly #socket: Socket
  readonly #answers: Answer[] = []
  #wake: (() => void) | undefined

  constructor(socket: Socket) {
    this.#socket = socket
    socket.onAny((event: string, data: unknown) => {
      this.#answers.push([event, data])
      this.#wake?.()
    })
  }

  static async connect(url: string): Promise<EventClient> {
    const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true })
    const client = new SocketIoClient(socket)
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve)
      socket.once('connect_error', reject)
    })
    return client
  }

  emit(event: string, data?: unknown): void {
    this.#socket.emit(event, data)
  }

  request(event: string, data?: unknown): Promise<unknown> {
    return this.#socket.emitWithAck(event, data) as Promise<unknown>
  }

  async next(): Promise<Answer> {
    for (;;) {
      const answer = this.#answers.shift()
      if (answer !== undefined) return answer
      await new Promise<void>((resolve) => {
        this.#wake = resolve
      })
    }
  }

  async close(): Promise<void> {
    if (!this.#socket.connected) return
    const closed = new Promise((resolve) => this.#socket.once('disconnect', resolve))
    this.#socket.disconnect()
    await closed
  }
}
