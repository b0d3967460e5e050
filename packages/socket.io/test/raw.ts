import { once } from 'node:events'
import type { TestClient } from '@otel-ws/testkit'
import type { Listening } from './server.ts'

/** Address of a WebSocket that speaks the protocol of Engine.IO by hand. */
export function rawUrl({ url }: Listening, query = 'EIO=4&transport=websocket'): string {
  return `${url.replace('http', 'ws')}/socket.io/?${query}`
}

/** Joins a namespace by hand: the packets of Engine.IO and Socket.IO are read and written as they are. */
export async function joinByHand(client: TestClient, namespace = '/'): Promise<void> {
  const open = await client.next()
  if (!open.startsWith('0{')) throw new Error(`not an open packet: ${open}`)
  client.send(namespace === '/' ? '40' : `40${namespace},`)
  const connected = await nextPacket(client)
  if (!connected.startsWith('40')) throw new Error(`not connected: ${connected}`)
}

/** The next packet, answering the heartbeats of the server in between. */
export async function nextPacket(client: TestClient): Promise<string> {
  for (;;) {
    const packet = await client.next()
    if (packet !== '2') return packet
    client.send('3')
  }
}

/** The first socket that joins, as soon as it does. */
export async function joined({ io }: Listening, namespace = '/') {
  const [socket] = (await once(io.of(namespace), 'connection')) as [import('socket.io').Socket]
  return socket
}
