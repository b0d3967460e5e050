import { type Attributes, type Span, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { activeContext } from '../api/context.ts'
import { endSpan, idsOf, setAttributes, setStatus, startSpan } from '../api/span.ts'
import type { NetworkTransport } from '../close/attributes.ts'
import { sendParent } from '../context/send-parent.ts'
import { withoutSpan } from '../context/span-scope.ts'
import { withoutToken } from '../options/token.ts'
import * as schema from '../schema.ts'
import { errorType } from '../span/error-type.ts'
import { recordError } from '../span/failure.ts'
import { spanName } from '../span/names.ts'
import { linkTo } from './link.ts'
import { type Lost, lose, replaces } from './reconnects.ts'
import type { ClientTelemetry } from './telemetry.ts'

/** How an attempt to connect ended: open, answered with another status, given up by the application, or for no known reason. */
export type ConnectOutcome = 'accepted' | 'rejected' | 'abandoned' | 'failed'

/** One attempt to open a connection. It has one outcome. */
export class Connect {
  telemetry: ClientTelemetry
  route: string | undefined
  readonly namespace: string | undefined
  /** Identifies sockets that replace each other: the URL without its query, and the namespace. */
  readonly target: string
  /** Of the span; stays when the span has ended. */
  readonly spanContext: SpanContext | undefined
  readonly replaced: Lost | undefined
  readonly networkTransport: NetworkTransport
  readonly #startTime = performance.now()
  readonly #startedAt = Date.now()
  /** Until it has ended. */
  span: Span | undefined

  constructor(telemetry: ClientTelemetry, url: string, namespace?: string) {
    this.telemetry = telemetry
    this.namespace = namespace
    const route = telemetry.routeOf(url) ?? namespace
    const target = targetOf(url, namespace)
    const replaced = replaces(target)
    this.route = route
    this.target = target
    this.networkTransport = /^ws\+unix:/i.test(url) ? 'unix' : 'tcp'
    this.replaced = replaced
    const active = activeContext()
    this.span = startSpan(
      telemetry.tracer,
      spanName('connect', route),
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
      sendParent(active) ?? withoutSpan(active),
    )
    this.spanContext = idsOf(this.span)
  }

  /**
   * The attempt has its outcome.
   *
   * @param known what else is known of it, such as the status of the answer; with `error.type` where nothing was thrown
   * @param end what ends the span: by default it ends now
   */
  settle(
    outcome: ConnectOutcome,
    known?: Attributes,
    error?: unknown,
    end = (span: Span, endTime: number): void => endSpan(span, endTime),
  ): void {
    const span = this.span
    this.span = undefined
    const duration = performance.now() - this.#startTime
    const facts: Attributes = { [schema.ATTR_WEBSOCKET_HANDSHAKE_OUTCOME]: outcome, ...known }
    if (outcome === 'rejected' || outcome === 'failed') {
      lose(this.target, undefined, this.replaced)
      facts[schema.ATTR_ERROR_TYPE] ??= error === undefined ? outcome : errorType(error)
      if (span !== undefined && error === undefined) setStatus(span, { code: SpanStatusCode.ERROR })
      else if (span !== undefined) recordError(span, error)
    }
    setAttributes(span, facts)
    this.telemetry.metrics?.series(this.route, this.namespace).connected(duration / 1000, facts, span)
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

/** The URL without its query, and the namespace. */
export function targetOf(url: string, namespace: string | undefined): string {
  const { host, pathname = url } = parse(url) ?? {}
  return `${host}${pathname} ${namespace}`
}

/** Attributes of a URL, without what may be secret: user, password, query, and tokens in the path. */
function urlAttributes(url: string): Attributes {
  const { protocol, pathname, hostname, port } = parse(url) ?? {}
  return {
    [schema.ATTR_URL_SCHEME]: protocol?.slice(0, -1).replace('http', 'ws'),
    [schema.ATTR_URL_PATH]: pathname?.split('/').map(withoutToken).join('/'),
    [schema.ATTR_SERVER_ADDRESS]: hostname,
    [schema.ATTR_SERVER_PORT]: port ? Number(port) : undefined,
  }
}
