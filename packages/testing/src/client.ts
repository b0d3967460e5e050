import type { IncomingHttpHeaders } from 'node:http'
import { type ClientOptions, WebSocket } from 'ws'
import { Queue } from './queue.ts'

/** How a connection has closed. */
export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A message as it was received. */
export interface ReceivedMessage {
  readonly data: Buffer
  readonly binary: boolean
}

/** A WebSocket client that queues what it receives: `next()` waits for a message, `closed` for the end. */
export class QueueingClient {
  /** The client of `ws` below. */
  readonly socket: WebSocket
  /** Resolves when the connection is open; rejects when it is refused. */
  readonly opened: Promise<void>
  /** Resolves when the connection has closed. */
  readonly closed: Promise<Closed>
  /** Headers of the answer to the upgrade request; empty until there is one. */
  responseHeaders: IncomingHttpHeaders = {}
  readonly #messages = new Queue<ReceivedMessage>('message')

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(url, protocols, options)
    this.socket.once('upgrade', ({ headers }) => {
      this.responseHeaders = headers
    })
    this.opened = new Promise((resolve, reject) => {
      this.socket.once('open', resolve)
      this.socket.once('error', reject)
    })
    this.opened.catch(() => {})
    this.closed = new Promise((resolve) => {
      this.socket.once('close', (code, reason) => {
        this.#messages.end(new Error(`closed with ${code} while a message was awaited`))
        resolve({ code, reason: reason.toString() })
      })
    })
    this.socket.on('error', () => {})
    this.socket.on('message', (data: Buffer, binary) => this.#messages.push({ data, binary }))
  }

  /**
   * The next message as text.
   *
   * @throws after 5 s without a message, in CI 30 s, and as soon as the connection has closed
   */
  async next(): Promise<string> {
    return (await this.#messages.next()).data.toString()
  }

  /** The next message with its type. */
  nextMessage(): Promise<ReceivedMessage> {
    return this.#messages.next()
  }

  /** Messages that have come and have not been taken. */
  get queued(): number {
    return this.#messages.size
  }

  send(data: string | Buffer, options: { binary?: boolean; fin?: boolean } = {}): void {
    this.socket.send(data, options)
  }

  /** Closes and waits until the connection is closed. */
  async close(code?: number, reason?: string): Promise<Closed> {
    this.socket.close(code, reason)
    return this.closed
  }
}

/** Connects and waits for the open. Rejects when the handshake is refused. */
export async function connect(
  url: string,
  protocols: string[] = [],
  options: ClientOptions = {},
): Promise<QueueingClient> {
  const client = new QueueingClient(url, protocols, options)
  await client.opened
  return client
}
