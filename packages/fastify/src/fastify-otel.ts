import { type Context, type Span, trace } from '@opentelemetry/api'
import type { FastifyRequest } from 'fastify'

/** The part of `@fastify/otel`'s request decorator that is used. */
interface OtelRequest {
  opentelemetry?: () => { readonly span?: Span | null; readonly context?: Context | null }
}

const HTTP_RESPONSE_STATUS_CODE = 'http.response.status_code'

/** True when `@fastify/otel` watches this request. */
export function hasOtelPlugin(request: FastifyRequest): boolean {
  return typeof (request as OtelRequest).opentelemetry === 'function'
}

/** The context of `@fastify/otel`'s span of this request; `undefined` when it leaves the request alone. */
export function enclosingContext(request: FastifyRequest): Context | undefined {
  const { context, span } = (request as OtelRequest).opentelemetry?.() ?? {}
  return context != null && span != null ? context : undefined
}

/** Ends the request span that `@fastify/otel` leaves open on an upgrade, so that its exported children find their parent. */
export function endRequestSpan(context: Context | undefined, status: number): void {
  const span = context === undefined ? undefined : trace.getSpan(context)
  if (span?.isRecording() !== true) return
  span.setAttribute(HTTP_RESPONSE_STATUS_CODE, status)
  span.end()
}
