import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api'
import { unknownVariables } from '@otel-ws/core/adapter'
import { hookModules } from './loader-hooks.ts'
import { SDK_VARIABLE, StandbySdk } from './sdk.ts'
import { WebSocketInstrumentation } from './websocket-instrumentation.ts'

/** Code of all warnings. */
const CODE = 'OTEL_WS_REGISTER'

/**
 * `node --import @otel-ws/instrumentation/register app.js`: traces every host, by the SDK that is registered until the
 * first connection comes, else by one of the standard `OTEL_*` variables. Options are read from `OTEL_WS_*`.
 */
function register(): void {
  const level = logLevel()
  if (level !== undefined) diag.setLogger(new DiagConsoleLogger(), { logLevel: level, suppressOverrideMessage: true })
  for (const line of unknownVariables(process.env, [SDK_VARIABLE])) process.emitWarning(line, { code: CODE })
  hookModules()
  const instrumentation = new WebSocketInstrumentation()
  const sdk = new StandbySdk(() => instrumentation.shutdown())
  for (const host of instrumentation.hosts) {
    host.hostFound = () => sdk.prepare()
    host.beforeUse = () => sdk.start()
  }
}

/** What is left alone is said before there is an SDK. */
function logLevel(): DiagLogLevel | undefined {
  const level = DiagLogLevel[(process.env['OTEL_LOG_LEVEL'] ?? '').toUpperCase() as keyof typeof DiagLogLevel]
  return typeof level === 'number' ? level : undefined
}

try {
  register()
} catch (error) {
  // A mistake in a variable is no reason for the application not to run.
  const reason = error instanceof Error ? error.message : String(error)
  process.emitWarning(`nothing is traced: ${reason}`, { code: CODE })
}
