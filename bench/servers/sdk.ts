import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import { type ExportResult, ExportResultCode, W3CTraceContextPropagator } from '@opentelemetry/core'
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics'
import {
  BatchSpanProcessor,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  type SpanExporter,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'

const COLLECTION_INTERVAL = 1_000

/** Exports nothing. Counts spans, and keeps them once `kept` is set. */
class CountingSpanExporter implements SpanExporter {
  count = 0
  kept: ReadableSpan[] | undefined

  export(spans: ReadableSpan[], done: (result: ExportResult) => void): void {
    this.count += spans.length
    this.kept?.push(...spans)
    done({ code: ExportResultCode.SUCCESS })
  }

  async shutdown(): Promise<void> {}
}

const discardMetrics: PushMetricExporter = {
  export: (_metrics, done) => done({ code: ExportResultCode.SUCCESS }),
  forceFlush: async () => {},
  shutdown: async () => {},
}

/** A running SDK, as the harness reads it. */
export interface Sdk {
  readonly exporter: { count: number; kept: ReadableSpan[] | undefined }
  flush(): Promise<void>
}

interface SdkOptions {
  readonly sampled: boolean
  readonly withMetrics: boolean
  readonly wrap?: (sampler: Sampler) => Sampler
}

/**
 * Registers the SDK globally, before anything asks for a tracer: batch processor, no-op exporters, async-hooks context.
 *
 * Sampled is the SDK's default sampler; unsampled is a parent-based ratio of 0, which `wrap` may wrap.
 */
export function startSdk({ sampled, withMetrics, wrap = (sampler) => sampler }: SdkOptions): Sdk {
  const exporter = new CountingSpanExporter()
  const tracerProvider = new TracerProvider({
    ...(!sampled && { sampler: wrap(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0) })) }),
    spanProcessors: [new BatchSpanProcessor({ exporter })],
  })
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(tracerProvider)
  if (withMetrics) {
    const reader = new PeriodicExportingMetricReader({
      exporter: discardMetrics,
      exportIntervalMillis: COLLECTION_INTERVAL,
      exportTimeoutMillis: COLLECTION_INTERVAL,
    })
    metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))
  }
  return { exporter, flush: () => tracerProvider.forceFlush() }
}
