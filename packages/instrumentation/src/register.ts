import { DiagConsoleLogger, DiagLogLevel, diag } from '@opentelemetry/api'
import { connectionSampler, keepSampler } from '@otel-ws/core'
import { resolveOptions, unknownVariables } from '@otel-ws/core/adapter'
import { hookModules } from './loader-hooks.ts'
import { type SamplerWrapper, SDK_VARIABLE, StandbySdk } from './sdk.ts'
import { DISABLED_VARIABLE, isSwitchedOff } from './switches.ts'
import { WebSocketInstrumentation } from './websocket-instrumentation.ts'

const INHERITING: SamplerWrapper = {
  variable: 'OTEL_WS_MESSAGE_SAMPLING=connection',
  where: ' on sampled connections',
  wrap: connectionSampler,
}
const KEEPING: SamplerWrapper = { variable: 'OTEL_WS_KEEP', wrap: keepSampler }

/** Code of all warnings. */
const CODE = 'OTEL_WS_REGISTER'

/**
 * `node --import @otel-ws/instrumentation/register app.js`: traces every host with the SDK that the application registers
 * before its first connection, otherwise with an SDK configured by the standard `OTEL_*` variables. Options are read from
 * `OTEL_WS_*`. `OTEL_NODE_DISABLED_INSTRUMENTATIONS` can switch it off.
 */
function register(): void {
  if ('Bun' in globalThis) {
    throw new Error(
      'Bun has its own ws and no module hooks; trace servers by a call, such as traceWebSocketServer(wss)',
    )
  }
  const level = logLevel()
  if (level !== undefined) diag.setLogger(new DiagConsoleLogger(), { logLevel: level, suppressOverrideMessage: true })
  if (isSwitchedOff(process.env)) {
    diag.debug(`otel-ws: nothing is traced: ${DISABLED_VARIABLE} names it`)
    return
  }
  for (const line of unknownVariables(process.env, [SDK_VARIABLE])) process.emitWarning(line, { code: CODE })
  hookModules()
  const instrumentation = new WebSocketInstrumentation()
  const { shutdownTimeout, messageSampling, keep } = resolveOptions({})
  const wrappers: SamplerWrapper[] = []
  if (messageSampling === 'connection') wrappers.push(INHERITING)
  if (keep !== undefined) wrappers.push(KEEPING)
  const sdk = new StandbySdk(() => instrumentation.shutdown(), shutdownTimeout, wrappers)
  for (const host of instrumentation.hosts) {
    host.onHostFound = () => sdk.prepare()
    host.beforeTelemetry = () => sdk.start()
  }
}

/** The level of `diag`, which is set here because the SDK, which sets it too, starts later. */
function logLevel(): DiagLogLevel | undefined {
  const level = DiagLogLevel[(process.env['OTEL_LOG_LEVEL'] ?? '').toUpperCase() as keyof typeof DiagLogLevel]
  return typeof level === 'number' ? level : undefined
}

try {
  register()
} catch (error) {
  // The application must run in spite of a wrong variable.
  const reason = error instanceof Error ? error.message : String(error)
  process.emitWarning(`nothing is traced: ${reason}`, { code: CODE })
}
