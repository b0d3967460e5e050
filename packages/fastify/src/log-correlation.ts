import { trace } from '@opentelemetry/api'
import { activeContext, idsOf } from '@otel-ws/core/adapter'

/** Pino keeps the function that adds fields to each line under a symbol of this description. */
const MIXIN = 'pino.mixin'

type Mixin = (fields: object, level: number, logger: unknown) => object

/**
 * Adds the ids of the active span to every line of a request's logger, under the names that OpenTelemetry's log
 * instrumentations use. Works with Pino, Fastify's default; other loggers are not changed. The fields of the application's
 * own mixin take precedence.
 */
export function addTraceIds(logger: unknown): void {
  if (typeof logger !== 'object' || logger === null) return
  const key = mixinSymbol(logger)
  if (key === undefined) return
  const host = logger as Record<symbol, Mixin | undefined>
  const original = host[key]
  const mixin: Mixin = (fields, level, self) => ({ ...traceIds(), ...original?.(fields, level, self) })
  Object.defineProperty(logger, key, { value: mixin, configurable: true, writable: true, enumerable: false })
}

function traceIds(): object {
  const spanContext = idsOf(trace.getSpan(activeContext()))
  if (spanContext === undefined || !trace.isSpanContextValid(spanContext)) return {}
  const { traceId, spanId, traceFlags } = spanContext
  return { trace_id: traceId, span_id: spanId, trace_flags: `0${traceFlags.toString(16)}` }
}

/** Returns Pino's symbol. It is a property of the root logger, which the logger of a request inherits from. */
function mixinSymbol(logger: object): symbol | undefined {
  for (let at: object | null = logger; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertySymbols(at).find((symbol) => symbol.description === MIXIN)
    if (found !== undefined) return found
  }
  return undefined
}
