import type { EventEmitter } from 'node:events'
import { Server as HttpServer } from 'node:http'
import { Server as HttpsServer } from 'node:https'
import type { Telemetry } from '@otel-ws/core/adapter'
import { watchUpgrades } from '@otel-ws/ws/adapter'

type Request = Parameters<Telemetry['unclaimedHandshake']>[0]

/**
 * Sees the upgrade requests of every HTTP server of the process before the application does: those that it rejects, or
 * never answers, reach no WebSocket server.
 *
 * @param telemetryOf called at each upgrade; `undefined` leaves the request alone
 * @param onForeign called with each request that code accepts which is not traced
 * @returns a function that removes the wrappers
 */
export function watchHttpServers(
  telemetryOf: () => Telemetry | undefined,
  onForeign: (request: Request) => void,
): () => void {
  const classes: { readonly prototype: EventEmitter }[] = [HttpServer, HttpsServer]
  const undo = classes.map(({ prototype }) =>
    watchUpgrades(prototype, (request) => telemetryOf()?.unclaimedHandshake(request, onForeign)),
  )
  return () => {
    for (const step of undo) step()
  }
}
