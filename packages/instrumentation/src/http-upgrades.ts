import type { EventEmitter } from 'node:events'
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { Telemetry } from '@otel-ws/core/adapter'
import { watchUpgrades } from '@otel-ws/ws/adapter'

/**
 * Sees the upgrade requests of every HTTP server of the process before the application does: those that it rejects, or
 * never answers, reach no WebSocket server.
 *
 * @param telemetryOf called at each upgrade; `undefined` leaves the request alone
 * @returns a function that removes the wrappers
 */
export function watchHttpServers(telemetryOf: () => Telemetry | undefined): () => void {
  const classes: { readonly prototype: EventEmitter }[] = [HttpServer, HttpsServer]
  const undo = classes.map(({ prototype }) =>
    watchUpgrades(prototype, (request) => telemetryOf()?.unclaimedHandshake(request)),
  )
  return () => {
    for (const step of undo) step()
  }
}
