import { context, metrics, propagation, trace } from '@opentelemetry/api'
import { W3CTraceContextPropagator } from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'
import { StackContextManager } from '@opentelemetry/sdk-trace-web'
import { PAGE_TELEMETRY, type PageTelemetry } from './page-telemetry.ts'

/** Milliseconds between two exports. Short, because a viewer may show them. */
const EXPORT_INTERVAL = 500

/**
 * Registers the OpenTelemetry SDK in a page of a demo, which exports to the demo's viewer. Without a viewer it does nothing.
 *
 * @param serviceName of the page, beside that of the server
 */
export async function startPageTelemetry(serviceName: string): Promise<void> {
  const response = await fetch(PAGE_TELEMETRY)
  const { endpoint } = (await response.json()) as PageTelemetry
  if (endpoint === undefined) return
  const resource = resourceFromAttributes({ 'service.name': serviceName })
  context.setGlobalContextManager(new StackContextManager().enable())
  propagation.setGlobalPropagator(new W3CTraceContextPropagator())
  trace.setGlobalTracerProvider(
    new TracerProvider({
      resource,
      spanProcessors: [
        new BatchSpanProcessor({
          exporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }),
          scheduledDelayMillis: EXPORT_INTERVAL,
        }),
      ],
    }),
  )
  metrics.setGlobalMeterProvider(
    new MeterProvider({
      resource,
      readers: [
        new PeriodicExportingMetricReader({
          exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` }),
          exportIntervalMillis: EXPORT_INTERVAL,
          exportTimeoutMillis: EXPORT_INTERVAL,
        }),
      ],
    }),
  )
}

/** Runs what an action of the user's does in a span of its own: the root of all that comes of it, wherever that is. */
export function act<R>(name: string, work: () => R): R {
  return trace.getTracer('page').startActiveSpan(name, { root: true }, (span) => {
    try {
      return work()
    } finally {
      span.end()
    }
  })
}
