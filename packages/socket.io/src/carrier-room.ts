import type { Broadcast } from '@otel-ws/core/adapter'

type CrossNodeCarrier = ReturnType<Broadcast['carrier']>

/** Distinguishes these names from the rooms of the application. */
const PREFIX = 'otel-ws:'

/**
 * Encodes the carrier of a broadcast as the name of a room that the broadcast excludes. Every adapter passes the
 * excluded rooms to every node, and none sends them to clients. No socket is in this room, so nodes without telemetry
 * exclude the same sockets as before.
 */
export function carrierRoom(carrier: CrossNodeCarrier): string {
  return PREFIX + JSON.stringify(carrier)
}

/** An id that Socket.IO has given to a socket: 16 random characters, and a number in Base64. */
const SOCKET_ID = /^[\w-]{16}A[\w-]{3}$/

/**
 * The rooms that the application has named: without the carrier, and without the rooms of single sockets, whose names
 * are session ids and are recorded with option `sessionId` only.
 */
export function* applicationRooms(rooms: Iterable<string> | undefined): Iterable<string> {
  for (const room of rooms ?? []) {
    if (typeof room !== 'string' || !(room.startsWith(PREFIX) || SOCKET_ID.test(room))) yield room
  }
}

/** Finds the carrier among the rooms that a broadcast excludes. It comes from another node and is not validated here. */
export function findCarrier(except: Iterable<unknown> | undefined): unknown {
  if (except === undefined) return undefined
  for (const room of except) {
    if (typeof room !== 'string' || !room.startsWith(PREFIX)) continue
    try {
      return JSON.parse(room.slice(PREFIX.length))
    } catch {
      return undefined
    }
  }
  return undefined
}
