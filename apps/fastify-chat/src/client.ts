import { once } from 'node:events'
import { type ClientOptions, WebSocket } from 'ws'
import type { ClientMessage, ServerMessage } from './messages.ts'

/** The query of a connection: who asks, and the token that proves it. */
export interface User {
  readonly name: string
  readonly token: string
}

/** One simulated person's connection to the chat. */
export class ChatClient {
  readonly socket: WebSocket
  readonly #closed: Promise<unknown>

  private constructor(socket: WebSocket) {
    this.socket = socket
    this.#closed = new Promise((resolve) => {
      socket.once('close', resolve)
    })
    // A connection that breaks is closed next; there is nothing else to do about it.
    socket.on('error', () => {})
  }

  /** Claims a name. Returns its token, or `undefined` if the name is not available. */
  static async signUp(url: string, name: string): Promise<string | undefined> {
    const response = await fetch(new URL('/login', url), {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ name }),
    })
    const { token } = (await response.json()) as { token?: string }
    return token
  }

  /** Opens a connection to a room; rejects with the server's answer when it is turned away. */
  static async enter(url: string, room: string, user: User, options: ClientOptions = {}): Promise<ChatClient> {
    const address = new URL(`/chat/${room}?${new URLSearchParams({ ...user })}`, url)
    address.protocol = 'ws:'
    const client = new ChatClient(new WebSocket(address, options))
    await once(client.socket, 'open')
    return client
  }

  /** Sends a message. */
  send(message: ClientMessage): void {
    this.socket.send(JSON.stringify(message))
  }

  /** True until the connection closes. */
  get connected(): boolean {
    return this.socket.readyState === WebSocket.OPEN
  }

  /** Resolves with the next message of a type; undefined when the connection closes before. */
  async answer(type: ServerMessage['type']): Promise<ServerMessage | undefined> {
    let onMessage = (_data: unknown) => {}
    const answered = new Promise<ServerMessage>((resolve) => {
      onMessage = (data) => {
        const message = JSON.parse(String(data)) as ServerMessage
        if (message.type === type) resolve(message)
      }
      this.socket.on('message', onMessage)
    })
    const message = await Promise.race([answered, this.closed()])
    this.socket.off('message', onMessage)
    return message
  }

  /** Resolves when the connection is closed, by whomever. */
  async closed(): Promise<undefined> {
    await this.#closed
  }

  /** Leaves politely. */
  async leave(): Promise<void> {
    this.socket.close(1000)
    await this.#closed
  }
}
