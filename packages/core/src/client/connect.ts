import { type Attributes, context, type Span, type SpanContext, SpanKind } from '@opentelemetry/api'
import { errorType } from '../diagnostics.ts'
import { enclosing } from '../enclosing.ts'
import { markFailed } from '../failure.ts'
import { withoutSpan, withSpan } from '../frame.ts'
import { recordError } from '../operation.ts'
import * as schema from '../schema.ts'
import { linkTo } from './link.ts'
import { type Lost, lose, replaces } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** How an attempt to connect ended: open, answered with another status, given up by the application, or for no known reason. */
export type ConnectOutcome = 'accepted' | 'rejected' | 'abandoned' | 'failed'

/** One attempt to open a connection. It has one outcome; later ones are ignored. */
export class Connect {
  telemetry: ClientTelemetry
  route: string | undefined
  readonly namespace: string | undefined
  /** What sockets have in common that replace each other: the URL without its query, and the namespace. */
  readonly target: string
  /** Of the span; stays when the span has ended. */
  readonly spanContext: SpanContext | undefined
  readonly replaced: Lost | undefined
  readonly #startTime = performance.now()
  readonly #startedAt = Date.now()
  #span: Span | undefined
  #settled = false

  constructor(telemetry: ClientTelemetry, url: string, namespace?: string) {
    this.telemetry = telemetry
    this.namespace = namespace
    this.route = telemetry.routeOf(url) ?? namespace
    this.target = targetOf(url, namespace)
    this.replaced = replaces(this.target)
    const { route, replaced } = this
    const active = context.active()
    this.#span = telemetry.tracer?.startSpan(
      route === undefined ? 'connect' : `connect ${route}`,
      {
        kind: SpanKind.CLIENT,
        attributes: {
          [schema.ATTR_WEBSOCKET_ROUTE]: route,
          [schema.ATTR_WEBSOCKET_NAMESPACE]: namespace,
          ...urlAttributes(url),
          [schema.ATTR_WEBSOCKET_RECONNECT_ATTEMPT]: replaced?.attempts,
          [schema.ATTR_WEBSOCKET_RECONNECT_DOWNTIME]: replaced && (this.#startTime - replaced.at) / 1000,
        },
        links: linkTo(replaced?.handshake, 'previous'),
        startTime: this.#startedAt,
      },
      enclosing(active) ?? withoutSpan(active),
    )
    this.spanContext = this.#span?.spanContext()
  }

  /** Of a connect that began before its socket was there: the socket is traced with these options. */
  adopt(telemetry: ClientTelemetry, url: string): void {
    this.telemetry = telemetry
    const route = telemetry.routeOf(url)
    if (route === undefined || route === this.route) return
    this.route = route
    this.#span?.updateName(`connect ${route}`).setAttribute(schema.ATTR_WEBSOCKET_ROUTE, route)
  }

  /**
   * The attempt has its outcome.
   *
   * @param status of the answer to the upgrade request, where the host tells it
   * @param end what ends the span: by default it ends now
   */
  settle(
    outcome: ConnectOutcome,
    status?: number,
    error?: unknown,
    end = (span: Span, endTime: number): void => span.end(endTime),
  ): void {
    if (this.#settled) return
    this.#settled = true
    const span = this.#span
    this.#span = undefined
    const duration = performance.now() - this.#startTime
    const facts: Attributes = { [schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME]: outcome }
    if (status !== undefined) facts[schema.ATTR_HTTP_RESPONSE_STATUS_CODE] = status
    span?.setAttributes(facts)
    if (outcome === 'rejected' || outcome === 'failed') {
      const { replaced, target } = this
      lose(replaced ?? { target, handshake: undefined, at: performance.now(), attempts: 0 })
      const type = error === undefined ? String(status ?? outcome) : errorType(error)
      facts[schema.ATTR_ERROR_TYPE] = type
      if (span !== undefined) error === undefined ? markFailed(span, type) : recordError(span, error)
    }
    const { metrics } = this.telemetry
    const active = context.active()
    metrics
      ?.series(this.route, this.namespace, undefined)
      .connected(duration / 1000, facts, span === undefined ? active : withSpan(active, span))
    if (span !== undefined) end(span, this.#startedAt + duration)
  }
}

function parse(url: string): URL | undefined {
  try {
    return new URL(url)
  } catch {
    return undefined
  }
}

/** What sockets to one place have in common, whatever their query. */
export function targetOf(url: string, namespace: string | undefined): string {
  const { host, pathname = url } = parse(url) ?? {}
  return `${host}${pathname} ${namespace}`
}

/** Attributes of a URL, without what may be secret: user, password, query. */
function urlAttributes(url: string): Attributes {
  const parts = parse(url)
  if (parts === undefined) return {}
  return {
    [schema.ATTR_URL_SCHEME]: parts.protocol.slice(0, -1).replace('http', 'ws'),
    [schema.ATTR_URL_PATH]: parts.pathname,
    [schema.ATTR_SERVER_ADDRESS]: parts.hostname,
    [schema.ATTR_SERVER_PORT]: parts.port === '' ? undefined : Number(parts.port),
  }
}
