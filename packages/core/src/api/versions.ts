import { type MeterProvider, metrics, type TracerProvider, trace } from '@opentelemetry/api'

/** What copies of `@opentelemetry/api` share. */
interface Registered {
  readonly version?: unknown
  readonly trace?: TracerProvider
  readonly metrics?: MeterProvider
}

interface Process {
  emitWarning?(text: string, options: { code: string }): void
}

/** The API of major version 1 registers under this name. */
const KEY = Symbol.for('opentelemetry.js.api.1')

const host = globalThis as { [KEY]?: Registered | undefined; process?: Process }

/**
 * The version of the API by which an SDK is registered, if this package's copy of the API is a later one: it then sees no
 * SDK, and nothing is recorded.
 */
export function unseenSdkVersion(): string | undefined {
  const registered = host[KEY]
  if (registered === undefined) return undefined
  const isHidden =
    (registered.trace !== undefined && registered.trace !== trace.getTracerProvider()) ||
    (registered.metrics !== undefined && registered.metrics !== metrics.getMeterProvider())
  return isHidden ? String(registered.version) : undefined
}

/** The version of this package's copy of the API, which writes it where nothing is registered. */
function ownVersion(): string {
  const registered = host[KEY]
  host[KEY] = undefined
  try {
    metrics.setGlobalMeterProvider(metrics.getMeterProvider())
    return String((host[KEY] as Registered | undefined)?.version)
  } finally {
    host[KEY] = registered
  }
}

let hasWarned = false

/** Warns once, where an application without a `diag` logger sees it, if an SDK is registered that cannot be seen. */
export function warnOfUnseenSdk(): void {
  if (hasWarned) return
  const version = unseenSdkVersion()
  if (version === undefined) return
  hasWarned = true
  const text = `otel-ws: nothing is recorded: the SDK is registered by @opentelemetry/api ${version}, and otel-ws uses ${ownVersion()}, which does not see it. Install one copy, such as @opentelemetry/api@${version}, or pass tracerProvider and meterProvider`
  host.process?.emitWarning?.(text, { code: 'OTEL_WS_API_VERSIONS' })
}
