import { createRequire } from 'node:module'
import { createNoopMeter, diag, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import type { Sampler } from '@otel-ws/core'
import { unseenSdkVersion } from '@otel-ws/core/adapter'
import { applicationFiles } from './loaded-modules.ts'
import { environmentSampler, type SamplerClasses } from './sdk-sampler.ts'

/** The members of `NodeSDK` that are used. */
interface Sdk {
  start(): void
  shutdown(): Promise<void>
}

interface SdkModule {
  readonly NodeSDK: new (configuration?: { sampler: Sampler }) => Sdk
  /** The package of tracers and samplers. */
  readonly tracing?: SamplerClasses
  readonly node?: SamplerClasses
}

const PACKAGE = '@opentelemetry/sdk-node'

/** Returns true if an SDK is registered. */
function isSdkRegistered(): boolean {
  const tracers = trace.getTracerProvider() as TracerProvider & { getDelegateTracer?: (name: string) => unknown }
  // Without an SDK, the API's proxy provider has no delegate and returns no tracer.
  if (tracers.getDelegateTracer === undefined || tracers.getDelegateTracer(PACKAGE) !== undefined) return true
  return metrics.getMeterProvider().getMeter(PACKAGE) !== createNoopMeter()
}

/** Wraps the sampler of the SDK, for the variable that needs it. */
export interface SamplerWrapper {
  readonly variable: string
  /** Where the variable has no effect without it. Default: anywhere. */
  readonly where?: string
  wrap(sampler: Sampler): Sampler
}

/** Variable that, set to `false`, prevents that an SDK is started. */
export const SDK_VARIABLE = 'OTEL_WS_SDK'

/**
 * Starts an SDK configured by the standard `OTEL_*` variables if no other is registered. It is loaded when a host is found
 * and started at the first connection, so that the application can register its own SDK until then.
 */
export class StandbySdk {
  readonly #beforeFlush: () => Promise<void>
  readonly #timeout: number
  readonly #wrappers: readonly SamplerWrapper[]
  #module: SdkModule | undefined
  #isSettled: boolean

  /**
   * @param beforeFlush awaited when the process ends, before the last export
   * @param timeout longest time in milliseconds that the process then waits for both before it ends
   * @param wrappers of the sampler, the innermost first
   */
  constructor(beforeFlush: () => Promise<void>, timeout: number, wrappers: readonly SamplerWrapper[]) {
    this.#wrappers = wrappers
    this.#beforeFlush = beforeFlush
    this.#timeout = timeout
    this.#isSettled =
      /^true$/i.test(process.env['OTEL_SDK_DISABLED'] ?? '') || /^false$/i.test(process.env[SDK_VARIABLE] ?? '')
  }

  /** Loads the SDK soon, so that the first connection does not wait for it. */
  prepare(): void {
    if (this.#isSettled) return
    setImmediate(() => {
      if (!this.#isSettled && !isSdkRegistered()) this.#module ??= load()
    }).unref()
  }

  /** Starts the SDK, unless one is registered. */
  start(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    // An SDK that this copy of the API does not see is one all the same: core says so at the first connection.
    if (isSdkRegistered() || unseenSdkVersion() !== undefined) return
    this.#module ??= load()
    if (this.#module === undefined) {
      process.emitWarning(`no OpenTelemetry SDK is registered and ${PACKAGE} is not installed: nothing is exported`, {
        code: 'OTEL_WS_NO_SDK',
      })
      return
    }
    // The SDK sets a `diag` logger if OTEL_LOG_LEVEL is set, and warns if there is one already.
    if (process.env['OTEL_LOG_LEVEL'] !== undefined) diag.disable()
    const sampler = this.#wrappers.length > 0 ? sdkSampler(this.#module, this.#wrappers) : undefined
    const sdk = new this.#module.NodeSDK(sampler && { sampler })
    sdk.start()
    flushAtExit(async () => {
      await this.#beforeFlush()
      await sdk.shutdown()
    }, this.#timeout)
  }
}

/** The sampler of the SDK, wrapped; `undefined` leaves the SDK its own. */
function sdkSampler({ tracing, node }: SdkModule, wrappers: readonly SamplerWrapper[]): Sampler | undefined {
  const classes = [tracing, node].find((exports) => typeof exports?.ParentBasedSampler === 'function')
  const sampler = environmentSampler(classes, process.env)
  if (typeof sampler !== 'string') return wrappers.reduce((inner, { wrap }) => wrap(inner), sampler)
  for (const { variable, wrap, where = '' } of wrappers) {
    process.emitWarning(
      `${variable} has no effect${where}: ${sampler}. Start an SDK of your own whose sampler is wrapped in ${wrap.name}() of @otel-ws/core`,
      { code: 'OTEL_WS_SAMPLER' },
    )
  }
  return undefined
}

/** Loads the SDK package, resolved from this package, otherwise from the application. */
function load(): SdkModule | undefined {
  for (const from of [import.meta.url, ...applicationFiles()]) {
    const requireFrom = createRequire(from)
    try {
      requireFrom.resolve(PACKAGE)
    } catch {
      continue
    }
    return requireFrom(PACKAGE) as SdkModule
  }
  return undefined
}

/** Flushes when the event loop is empty, and on a signal. The process ends in the same way as without this listener. */
function flushAtExit(flush: () => Promise<void>, timeout: number): void {
  let flushed: Promise<unknown> | undefined
  const flushOnce = () => {
    flushed ??= Promise.race([flush().catch(() => {}), elapsed(timeout)])
    return flushed
  }
  process.once('beforeExit', flushOnce)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      // Other listeners decide themselves whether the process ends.
      const hasNoOtherListener = process.listenerCount(signal) === 0
      void flushOnce().then(() => {
        if (hasNoOtherListener && process.listenerCount(signal) === 0) process.kill(process.pid, signal)
      })
    })
  }
}

function elapsed(milliseconds: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, milliseconds).unref()
  })
}
