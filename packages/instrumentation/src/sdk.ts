import { createRequire } from 'node:module'
import { createNoopMeter, diag, metrics, type TracerProvider, trace } from '@opentelemetry/api'
import { applicationFiles } from './loaded-modules.ts'

/** The part of `NodeSDK` that is used. */
interface Sdk {
  start(): void
  shutdown(): Promise<void>
}

type SdkModule = { readonly NodeSDK: new () => Sdk }

const PACKAGE = '@opentelemetry/sdk-node'

/** A process that was told to stop waits no longer than this for its last telemetry, in ms. */
const MAX_FLUSH = 5000

/** True when the application, or somebody for it, has registered an SDK. */
function isSdkRegistered(): boolean {
  const tracers = trace.getTracerProvider() as TracerProvider & { getDelegateTracer?: (name: string) => unknown }
  // Without an SDK the API has a stand-in that has nobody to delegate to.
  if (tracers.getDelegateTracer === undefined || tracers.getDelegateTracer(PACKAGE) !== undefined) return true
  return metrics.getMeterProvider().getMeter(PACKAGE) !== createNoopMeter()
}

/** Variable that, set to `false`, leaves the SDK to others. */
export const SDK_VARIABLE = 'OTEL_WS_SDK'

/**
 * An SDK by the standard `OTEL_*` variables, for processes in which nobody else has registered one. It is loaded when a
 * host is there and started when the first connection comes, so that whoever registers an SDK until then is first.
 */
export class StandbySdk {
  readonly #beforeFlush: () => Promise<void>
  #module: SdkModule | undefined
  #isSettled: boolean

  /** @param beforeFlush called when the process ends, before the last export */
  constructor(beforeFlush: () => Promise<void>) {
    this.#beforeFlush = beforeFlush
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

  /** Starts the SDK, unless somebody has registered one. */
  start(): void {
    if (this.#isSettled) return
    this.#isSettled = true
    if (isSdkRegistered()) return
    this.#module ??= load()
    if (this.#module === undefined) {
      process.emitWarning(`no OpenTelemetry SDK is registered and ${PACKAGE} is not installed: nothing is exported`, {
        code: 'OTEL_WS_NO_SDK',
      })
      return
    }
    // It sets a logger of its own by OTEL_LOG_LEVEL and would complain of ours.
    if (process.env['OTEL_LOG_LEVEL'] !== undefined) diag.disable()
    const sdk = new this.#module.NodeSDK()
    sdk.start()
    flushAtTheEnd(async () => {
      await this.#beforeFlush()
      await sdk.shutdown()
    })
  }
}

/** Finds the package beside this one, else in the application. */
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

/** Flushes when nothing is left to do and when a signal ends the process, which ends as it would have without us. */
function flushAtTheEnd(flush: () => Promise<void>): void {
  let flushed: Promise<unknown> | undefined
  const flushOnce = () => {
    flushed ??= Promise.race([flush().catch(() => {}), patience()])
    return flushed
  }
  process.once('beforeExit', flushOnce)
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      // Whoever listens too ends the process, or does not.
      const isOurs = process.listenerCount(signal) === 0
      void flushOnce().then(() => {
        if (isOurs && process.listenerCount(signal) === 0) process.kill(process.pid, signal)
      })
    })
  }
}

function patience(): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, MAX_FLUSH).unref()
  })
}
