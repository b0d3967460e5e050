import { type Attributes, type Span, type Tracer, trace } from '@opentelemetry/api'
import { isInsideSdk, setAttributes } from '../api/span.ts'
import { whenSettled } from '../context/promises.ts'
import { forceFlush, globalTracer } from '../services/providers.ts'
import { flushFailed, hookFailed, promiseNotFollowed } from '../span/diagnostics.ts'
import { BoundedNames, type MessageName } from '../span/names.ts'
import type { ClientMetricSet } from './metrics.ts'
import type { ClientOptions } from './options.ts'

/** Calls of an unobserved connection between two looks for an SDK that was registered late. */
const REFRESH_EVERY = 16

/** Shared by all clients of a process, so that names stay bounded over reconnects. */
const names = new BoundedNames(200, 64)
const warned = new Set<string>()

/** Options, tracer and instruments of a client. */
export class ClientTelemetry {
  readonly options: Readonly<ClientOptions>
  readonly #scope: { name: string; version: string }
  tracer: Tracer | undefined
  /** `undefined` without option `metrics`. */
  metrics: ClientMetricSet | undefined
  #looks = 0

  constructor(options: ClientOptions | undefined, scope: { name: string; version: string }) {
    this.options = { ...options }
    this.#scope = scope
    this.refresh()
  }

  /**
   * True if spans or metrics are recorded. While false, some reads check again for an SDK that was registered late. While the
   * SDK runs, nothing is recorded.
   */
  get active(): boolean {
    if (isInsideSdk()) return false
    if (!this.#observed && ++this.#looks % REFRESH_EVERY === 0) this.refresh()
    return this.#observed
  }

  get #observed(): boolean {
    return this.tracer !== undefined || this.metrics?.recording === true
  }

  refresh(): void {
    const { name, version } = this.#scope
    const { tracerProvider, meterProvider, metrics } = this.options
    this.metrics = metrics?.(this.#scope, meterProvider)
    this.tracer = globalTracer(name, version, tracerProvider)
  }

  /** The route of a URL: what option `route` says. */
  routeOf(url: string): string | undefined {
    const { route } = this.options
    if (typeof route !== 'function') return route
    const value = this.callHook('route', route, url)
    return typeof value === 'string' && value !== '' ? names.label(value) : undefined
  }

  /** The name that option `messageName` finds in a payload. */
  nameOf(data: unknown, binary: boolean): MessageName | undefined {
    const { messageName: find } = this.options
    const raw = find === undefined ? undefined : this.callHook('messageName', find, data, binary)
    return typeof raw === 'string' ? names.bound(raw) : undefined
  }

  /** Reports, once, that a hook of the user has failed. */
  hookFailed(name: string, error: unknown): void {
    hookFailed(warned, name, error)
  }

  /** Calls a hook of the user. One that throws, or whose promise rejects, is reported once and changes nothing else. */
  callHook<A extends unknown[], R>(name: string, hook: (...args: A) => R, ...args: A): R | undefined {
    try {
      const result = hook(...args)
      whenSettled(result, undefined, (error) => hookFailed(warned, name, error))
      return result
    } catch (error) {
      hookFailed(warned, name, error)
      return undefined
    }
  }

  /** Puts on a span what a hook of the user returns for it. */
  describe<I>(name: string, hook: (span: Span, info: I) => Attributes | undefined | void, span: Span, info: I): void {
    setAttributes(span, this.callHook(name, hook, span, info))
  }

  /** A handler that is no `async` function returned a promise, which is not followed. */
  promiseNotFollowed(handler: unknown): void {
    promiseNotFollowed(warned, handler)
  }

  /** Asks the providers to export what they have. */
  flush(): void {
    const tracers = (this.options.tracerProvider ?? trace.getTracerProvider()) as { getDelegate?: () => unknown }
    forceFlush(tracers.getDelegate?.() ?? tracers).catch(flushFailed)
    this.metrics?.flush().catch(flushFailed)
  }
}

/** The bounded name of a message whose name the host knows. */
export function boundName(name: string): MessageName {
  return names.bound(name)
}
