import { type Context, type Span, trace } from '@opentelemetry/api'
import { endSpan, isRecording, setAttribute } from '@otel-ws/core/adapter'
import type { FastifyInstance, FastifyRequest } from 'fastify'

/** The members of `@fastify/otel`'s request decorator that are used. */
interface OtelRequest {
  opentelemetry?: () => { readonly span?: Span | null; readonly context?: Context | null }
}

/** `@fastify/otel` keeps Fastify's own `addHook` under a symbol of this description. */
const ADD_HOOK = 'fastify otel addhook original'

/** Returns Fastify's own `addHook`, if `@fastify/otel` stands in front of it. */
export function ownAddHook(fastify: FastifyInstance): FastifyInstance['addHook'] | undefined {
  for (let at: object | null = fastify; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const key = Object.getOwnPropertySymbols(at).find((symbol) => symbol.description === ADD_HOOK)
    const own = key === undefined ? undefined : (at as Record<symbol, unknown>)[key]
    if (typeof own === 'function') return own as FastifyInstance['addHook']
  }
  return undefined
}

const HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code'

/** Returns true if the plugin `@fastify/otel` is registered for this request. */
export function hasOtelPlugin(request: FastifyRequest): boolean {
  return typeof (request as OtelRequest).opentelemetry === 'function'
}

/** Returns the context with `@fastify/otel`'s span of this request; `undefined` if it does not trace the request. */
export function requestContext(request: FastifyRequest): Context | undefined {
  const { context, span } = (request as OtelRequest).opentelemetry?.() ?? {}
  return context != null && span != null ? context : undefined
}

/** Ends the request span of `@fastify/otel`, which leaves it open on an upgrade: the parent of exported spans would be missing. */
export function endRequestSpan(context: Context | undefined, status: number): void {
  const span = context === undefined ? undefined : trace.getSpan(context)
  if (!isRecording(span)) return
  setAttribute(span, HTTP_RESPONSE_STATUS_CODE, status)
  endSpan(span)
}
