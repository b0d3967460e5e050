import {
  type Attributes,
  context,
  type Link,
  type Span,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
} from '@opentelemetry/api'
import { errorType } from '../diagnostics.ts'
import { enclosing } from '../enclosing.ts'
import { withoutSpan, withSpan } from '../frame.ts'
import { recordError } from '../operation.ts'
import * as schema from '../schema.ts'
import { type Lost, lose, replaces } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** How an attempt to connect ended: open, answered with another status, given up by the application, or for no known reason. */
export type ConnectOutcome = 'accepted' | 'rejected' | 'abandoned' | 'failed'

const PREVIOUS_LINK: Attributes = { [schema.ATTR_WEBSOCKET_LINK_KIND]: 'previous' }

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
    const parts = partsOf(url)
    this.target = targetOf(url, namespace)
    this.replaced = replaces(this.target)
    const { tracer } = telemetry
    if (tracer === undefined) return
    const active = context.active()
    this.#span = tracer.startSpan(
      this.route === undefined ? 'connect' : `connect ${this.route}`,
      { kind: SpanKind.CLIENT, attributes: this.#attributes(parts), links: this.#links(), startTime: this.#startedAt },
      enclosing(active) ?? withoutSpan(active),
    )
    this.spanContext = this.#span.spanContext()
  }

  /** Of a connect that began before its socket was there: the socket is traced with these options. */
  adopt(telemetry: ClientTelemetry, url: string): void {
    this.telemetry = telemetry
    const route = telemetry.routeOf(url)
    if (route === undefined || route === this.route) return
    this.route = route
    this.#span?.updateName(`connect ${route}`).setAttribute(schema.ATTR_WEBSOCKET_ROUTE, route)
  }

  /** The span, until it has ended. */
  get span(): Span | undefined {
    return this.#span
  }

  /**
   * The attempt has its outcome.
   *
   * @param status of the answer to the upgrade request, where the host tells it
   * @param attributes what became known of the connection: on the span
   * @returns the span, which the caller ends at the time given with it; `undefined` when there is none
   */
  settle(
    outcome: ConnectOutcome,
    status?: number,
    error?: unknown,
    attributes?: Attributes,
  ): { span: Span; endTime: number } | undefined {
    if (this.#settled) return undefined
    this.#settled = true
    const { metrics } = this.telemetry
    const duration = performance.now() - this.#startTime
    const failed = outcome === 'rejected' || outcome === 'failed'
    const type = error !== undefined ? errorType(error) : status !== undefined ? String(status) : outcome
    if (metrics.recording) {
      const series = metrics.series(this.route, this.namespace)
      const told: Attributes = { ...series.attributes, [schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME]: outcome }
      if (status !== undefined) told[schema.ATTR_HTTP_RESPONSE_STATUS_CODE] = status
      if (failed) told[schema.ATTR_ERROR_TYPE] = type
      const active = context.active()
      metrics.connectDuration.record(
        duration / 1000,
        told,
        this.#span === undefined ? active : withSpan(active, this.#span),
      )
    }
    if (failed) lose(this.target, this.replaced ?? { handshake: undefined, at: performance.now(), attempts: 0 })
    const span = this.#span
    this.#span = undefined
    if (span === undefined) return undefined
    if (attributes !== undefined) span.setAttributes(attributes)
    span.setAttribute(schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME, outcome)
    if (status !== undefined) span.setAttribute(schema.ATTR_HTTP_RESPONSE_STATUS_CODE, status)
    if (failed && error !== undefined) recordError(span, error)
    else if (failed) span.setStatus({ code: SpanStatusCode.ERROR }).setAttribute(schema.ATTR_ERROR_TYPE, type)
    return { span, endTime: this.#startedAt + duration }
  }

  #attributes(parts: UrlParts | undefined): Attributes {
    const { replaced, route } = this
    const attributes: Attributes = {}
    if (route !== undefined) attributes[schema.ATTR_WEBSOCKET_ROUTE] = route
    if (this.namespace !== undefined) attributes[schema.ATTR_WEBSOCKET_NAMESPACE] = this.namespace
    if (parts !== undefined) {
      attributes[schema.ATTR_URL_SCHEME] = parts.scheme
      attributes[schema.ATTR_URL_PATH] = parts.path
      attributes[schema.ATTR_SERVER_ADDRESS] = parts.host
      if (parts.port !== '') attributes[schema.ATTR_SERVER_PORT] = Number(parts.port)
    }
    if (replaced !== undefined) {
      attributes[schema.ATTR_WEBSOCKET_RECONNECT_ATTEMPT] = replaced.attempts
      attributes[schema.ATTR_WEBSOCKET_RECONNECT_DOWNTIME] = (this.#startTime - replaced.at) / 1000
    }
    return attributes
  }

  #links(): Link[] {
    const handshake = this.replaced?.handshake
    return handshake === undefined ? [] : [{ context: handshake, attributes: PREVIOUS_LINK }]
  }
}

interface UrlParts {
  readonly origin: string
  readonly scheme: string
  readonly host: string
  readonly port: string
  readonly path: string
}

const URL_PARTS = /^(ws|http)(s?):\/\/(?:[^/?#@]*@)?(\[[^\]]*\]|[^:/?#]*)(?::(\d+))?([^?#]*)/i

/** The parts of an absolute URL, without what may be secret: user, password, query. */
/** What sockets to one place have in common, whatever their query. */
export function targetOf(url: string, namespace: string | undefined): string {
  const parts = partsOf(url)
  return `${parts?.origin}${parts?.path ?? url} ${namespace}`
}

function partsOf(url: string): UrlParts | undefined {
  const [, , secure = '', host = '', port = '', path = ''] = URL_PARTS.exec(url) ?? []
  if (host === '') return undefined
  return { origin: `${host}:${port}`, scheme: `ws${secure.toLowerCase()}`, host, port, path: path || '/' }
}
