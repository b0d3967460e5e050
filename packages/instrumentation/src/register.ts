import { StandbySdk } from './sdk.ts'
import { WebSocketInstrumentation } from './websocket-instrumentation.ts'

/**
 * `node --import @otel-ws/instrumentation/register app.js`: traces every host, by the SDK that is registered until the
 * first connection comes, else by one of the standard `OTEL_*` variables. Options are read from `OTEL_WS_*`.
 */
try {
  const instrumentation = new WebSocketInstrumentation()
  const sdk = new StandbySdk(() => instrumentation.shutdown())
  for (const host of instrumentation.hosts) {
    host.hostFound = () => sdk.prepare()
    host.beforeUse = () => sdk.start()
  }
} catch (error) {
  // A mistake in a variable is no reason for the application not to run.
  process.emitWarning(`nothing is traced: ${error instanceof Error ? error.message : error}`, {
    code: 'OTEL_WS_REGISTER',
  })
}
