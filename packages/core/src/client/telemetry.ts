import { context, metrics, ROOT_CONTEXT, type Tracer, trace } from '@opentelemetry/api'
import { Diagnostics } from '../diagnostics.ts'
import { Expiry } from '../expiry.ts'
import { BoundedNames, type MessageName, messageName } from '../names.ts'
import type { OperationHost } from '../operation.ts'
import { forceFlush, globalTracer } from '../providers.ts'
import { type ClientMetricSet, clientMetricSet } from './metrics.ts'
import { type ClientOptions, type ResolvedClientOptions, resolveClientOptions } from './options.ts'

/** Milliseconds after which a process span whose handlers do not settle ends. */
const MAX_AGE = 600_000
/** Calls of an unobserved connection between two looks for an SDK that was registered late. */
const LOOKS_EVERY = 16

/** What all clients of a process share: names stay few however often an application reconnects. */
const names = new BoundedNames(200, 64)
const diagnostics = new Diagnostics()
const nobodyRuns = { enter(): void {}, leave(): void {} }
let expiry: Expiry | undefined

/** Resolved options, tracer and instruments of a client. */
export class ClientTelemetry implements OperationHost {
  readonly options: ResolvedClientOptions
  readonly expiry: Expiry
  readonly fanout = nobodyRuns
  readonly #scope: { name: string; version: string }
  tracer: Tracer | undefined
  metrics!: ClientMetricSet
  #looks = 0

  /** @throws OptionError for wrong options */
  constructor(options: ClientOptions | undefined, scope: { name: string; version: string }) {
    this.options = resolveClientOptions(options)
    this.#scope = scope
    // Its timer lives as long as the process, and must not keep the context of whoever comes first.
    expiry ??= context.with(ROOT_CONTEXT, () => new Expiry(MAX_AGE))
    this.expiry = expiry
    this.refresh()
  }

  /** True while neither a tracer nor a meter is there: counting is all there is to do. */
  get dark(): boolean {
    if (this.tracer !== undefined || this.metrics.recording) return false
    if (++this.#looks % LOOKS_EVERY !== 0) return true
    this.refresh()
    return this.tracer === undefined && !this.metrics.recording
  }

  refresh(): void {
    const { name, version } = this.#scope
    const { tracerProvider, meterProvider } = this.options
    this.metrics = clientMetricSet(this.#scope, meterProvider)
    this.tracer = tracerProvider === undefined ? globalTracer(name, version) : tracerProvider.getTracer(name, version)
  }

  /** The route of a URL: what option `route` says. */
  routeOf(url: string): string | undefined {
    const { route } = this.options
    if (typeof route !== 'function') return route
    const value = this.guard('route', route, url)
    return typeof value === 'string' && value !== '' ? names.label(value) : undefined
  }

  /** The bounded name of a message whose name the host knows. */
  named(name: string): MessageName {
    return names.bound(name)
  }

  /** The name that option `messageName` finds in a payload. */
  nameOf(data: unknown, binary: boolean, route: string | undefined): MessageName {
    const { messageName: find } = this.options
    const raw = find === undefined ? undefined : this.guard('messageName', find, data, binary)
    return typeof raw === 'string' ? names.bound(raw) : messageName(undefined, route)
  }

  /** Calls a hook of the user. One that throws is reported once and changes nothing else. */
  guard<A extends unknown[], R>(name: string, hook: (...args: A) => R, ...args: A): R | undefined {
    try {
      return hook(...args)
    } catch (error) {
      diagnostics.hookFailed(name, error)
      return undefined
    }
  }

  /** What came with a message in a carrier's place was none, or said nothing valid. */
  carrierRefused(problem: string): void {
    diagnostics.carrierRefused(problem)
  }

  /** Asks the providers to export what they have. */
  async flush(): Promise<void> {
    const tracers = (this.options.tracerProvider ?? trace.getTracerProvider()) as { getDelegate?: () => unknown }
    const providers = [tracers.getDelegate?.() ?? tracers, this.options.meterProvider ?? metrics.getMeterProvider()]
    for (const result of await Promise.allSettled(providers.map(forceFlush))) {
      if (result.status === 'rejected') diagnostics.flushFailed(result.reason)
    }
  }
}
