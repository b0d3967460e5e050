import type { ClientRequest, IncomingHttpHeaders } from 'node:http'
import { type ClientOptions, WebSocket } from 'ws'
import { completeUrl } from './offer.ts'
import { Queue } from './queue.ts'

export interface Closed {
  readonly code: number
  readonly reason: string
}

/** A WebSocket client that queues what it receives: `next()` waits for a message, `closed` for the end. */
export class TestClient {
  readonly socket: WebSocket
  readonly opened: Promise<void>
  readonly closed: Promise<Closed>
  /** Headers of the answer to the upgrade request; empty until there is one. */
  responseHeaders: IncomingHttpHeaders = {}
  readonly #messages = new Queue<{ data: Buffer; binary: boolean }>('message')

  constructor(url: string, protocols: string[] = [], options: ClientOptions = {}) {
    this.socket = new WebSocket(completeUrl(url), protocols, { perMessageDeflate: false, finishRequest, ...options })
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

  /** The next message as text. */
  async next(): Promise<string> {
    return (await this.#messages.next()).data.toString()
  }

  /** The next message with its type. */
  nextMessage(): Promise<{ data: Buffer; binary: boolean }> {
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

/** Completes an offer of context in messages with the key of the request. */
function finishRequest(request: ClientRequest): void {
  const offer = request.getHeader('otel-ws')
  const key = String(request.getHeader('sec-websocket-key'))
  if (typeof offer === 'string') request.setHeader('otel-ws', offer.replace('<key>', key))
  request.end()
}

/** Connects and waits for the open. */
export async function connect(url: string, protocols: string[] = [], options: ClientOptions = {}): Promise<TestClient> {
  const client = new TestClient(url, protocols, options)
  await client.opened
  return client
}
