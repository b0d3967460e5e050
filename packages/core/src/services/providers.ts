import { type Tracer, type TracerOptions, type TracerProvider, trace } from '@opentelemetry/api'
import { reportThrown } from '../api/log.ts'
import { SCHEMA_URL } from '../schema.ts'

interface Proxy extends TracerProvider {
  getDelegate?(): TracerProvider
  getDelegateTracer?(name: string, version: string, options: TracerOptions): Tracer | undefined
}

const OPTIONS = { schemaUrl: SCHEMA_URL }

/** The tracer of the SDK, without the API's proxy; `undefined` while no SDK is registered, and if it throws. */
export function globalTracer(
  name: string,
  version: string,
  provider: Proxy = trace.getTracerProvider(),
): Tracer | undefined {
  try {
    return provider.getDelegateTracer === undefined
      ? provider.getTracer(name, version, OPTIONS)
      : provider.getDelegateTracer(name, version, OPTIONS)
  } catch (error) {
    reportThrown('getTracer()', error)
    return undefined
  }
}

/** The provider of an SDK, without the API's proxy. */
export function registeredProvider(provider: Proxy = trace.getTracerProvider()): TracerProvider {
  return provider.getDelegate?.() ?? provider
}

/** Asks a provider to export what it has, if it can. */
export async function forceFlush(provider: unknown): Promise<void> {
  await (provider as { forceFlush?: () => Promise<void> } | undefined)?.forceFlush?.()
}
