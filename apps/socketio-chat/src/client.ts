import { connect, type Socket } from 'socket.io-client'
import type { ClientEvents, ServerEvents } from './events.ts'

export type ChatClient = Socket<ServerEvents, ClientEvents>

/** Joins the chat under a name; rejects when the server turns it away. */
export async function enter(url: string, name: string): Promise<ChatClient> {
  const client: ChatClient = connect(url, {
    auth: { name },
    forceNew: true,
    reconnection: false,
    // The third way a client may come in: it starts with requests and goes over to a WebSocket.
    transports: name.length % 2 === 0 ? ['websocket'] : ['polling', 'websocket'],
  })
  await new Promise<void>((resolve, reject) => {
    client.once('connect', resolve)
    client.once('connect_error', (error) => {
      client.disconnect()
      reject(error)
    })
  })
  client.on('vote', (question, answer) => answer(question.length % 2 === 0))
  return client
}

/** Resolves when the connection is gone, by whomever. */
export async function gone(client: ChatClient): Promise<void> {
  if (client.connected) await new Promise<void>((resolve) => client.once('disconnect', () => resolve()))
}
