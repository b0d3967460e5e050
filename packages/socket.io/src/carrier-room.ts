import type { CrossNodeCarrier } from '@otel-ws/core/adapter'

/** No room of an application's is named like this. */
const PREFIX = 'otel-ws:'

/**
 * A broadcast's carrier as the name of a room that is excluded from it. Rooms to exclude are the one part of a broadcast
 * that every adapter hands to every node, whatever it does with the rest, and that never reaches a client. Nobody is in
 * this room: nodes without telemetry exclude nobody more.
 */
export function carrierRoom(carrier: CrossNodeCarrier): string {
  return PREFIX + JSON.stringify(carrier)
}

/** The carrier among the rooms that a broadcast excludes, if there is one. */
export function carrierIn(except: Iterable<unknown> | undefined): unknown {
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
