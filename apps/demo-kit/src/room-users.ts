import { once } from 'node:events'
import { jsonName, traceHeaders, traceWebSocket } from '@otel-ws/client'
import { WebSocket } from 'ws'
import { nameOf, pause, simulateUsers, smallTalk, type Users } from './simulated-users.ts'

/** Route of the rooms, as the small chats of the demos serve them. */
export const ROOM_ROUTE = '/rooms/:room'

/** The token without which a chat rejects the handshake. */
export const ROOM_TOKEN = 'welcome'

/** How long a chat takes to look something up, in milliseconds. */
export const LOOK_UP_TIME = 120

/** What a user of a room sends. */
export interface RoomMessage {
  /** To all members of the room; answered after {@link LOOK_UP_TIME}; never answered, because the handler fails. */
  readonly type: 'say' | 'look up' | 'translate'
  readonly text: string
}

const ROOMS = ['lobby', 'kitchen']

/**
 * Starts traced users who chat in rooms of `<url>/rooms/<name>?token=…`, somebody who guesses a token, and somebody whose
 * network fails.
 */
export function startRoomUsers(url: string, count: number): Users {
  return simulateUsers({
    place: url.replace(/^http/, 'ws'),
    count,
    resident,
    strangers: [
      { visit: intrude, after: 200, every: 3_000 },
      { visit: vanish, after: 700, every: 4_000 },
    ],
  })
}

/** Opens a traced connection to a room; rejects with the server's answer when it is turned away. */
async function enter(place: string, room: string, token: string): Promise<WebSocket> {
  const url = `${place}/rooms/${room}?token=${token}`
  const socket = new WebSocket(url, { headers: traceHeaders(url) })
  traceWebSocket(socket as unknown as globalThis.WebSocket, { route: ROOM_ROUTE, messageName: jsonName('$.type') })
  socket.on('error', () => {})
  await once(socket, 'open')
  return socket
}

function send(socket: WebSocket, message: RoomMessage): void {
  socket.send(JSON.stringify(message))
}

async function resident(place: string, stop: AbortSignal, index: number): Promise<void> {
  while (!stop.aborted) {
    const socket = await enter(place, ROOMS[index % ROOMS.length] as string, ROOM_TOKEN)
    const closed = once(socket, 'close')
    for (let turn = index; turn < index + 20 && !stop.aborted; turn++) {
      const type = (['say', 'look up', 'say', 'translate'] as const)[turn % 4] ?? 'say'
      send(socket, { type, text: `${nameOf(index)}: ${smallTalk(turn)}` })
      await pause(300 + Math.random() * 400, stop)
    }
    // An answer that is under way arrives before the close.
    await pause(LOOK_UP_TIME * 2, AbortSignal.timeout(LOOK_UP_TIME * 3))
    socket.close(1000)
    await closed
  }
}

async function intrude(place: string): Promise<void> {
  const socket = await enter(place, 'lobby', 'guessed').catch(() => undefined)
  if (socket !== undefined) throw new Error('a guessed token was accepted')
}

async function vanish(place: string, stop: AbortSignal): Promise<void> {
  const socket = await enter(place, 'lobby', ROOM_TOKEN)
  const closed = once(socket, 'close')
  send(socket, { type: 'say', text: 'I am on the tr' })
  await pause(200, stop)
  socket.terminate()
  await closed
}
