import { jsonName } from '@otel-ws/client'
import type { ClientOptions } from '@otel-ws/client/socket.io'

/** Options of a client: the suites' own are those of servers, so any of them stands for all that a client has. */
export function clientOptions(telemetry: Readonly<Record<string, unknown>>): ClientOptions {
  if (Object.keys(telemetry).length === 0) return {}
  return {
    messageName: jsonName('$.type'),
    messageSizeMetric: true,
    closeReason: true,
    followPromises: 'async-functions',
    onMessage() {
      throw new Error('a hook of the user that is broken')
    },
    onClose() {
      throw new Error('a hook of the user that is broken')
    },
  }
}
