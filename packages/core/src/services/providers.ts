import { type Tracer, type TracerProvider, trace } from '@opentelemetry/api'

interface Proxy extends TracerProvider {
  getDelegateTracer?(name: string, version: string): Tracer | undefined
}

/** The SDK's own tracer behind the API's proxy, or nothing while no SDK is registered. */
export function globalTracer(
  name: string,
  version: string,
  provider: Proxy = trace.getTracerProvider(),
): Tracer | undefined {
  return provider.getDelegateTracer === undefined
    ? provider.getTracer(name, version)
    : provider.getDelegateTracer(name, version)
}

/** Asks a provider to export what it has, if it can. */
export async function forceFlush(provider: unknown): Promise<void> {
  await (provider as { forceFlush?: () => Promise<void> } | undefined)?.forceFlush?.()
}
