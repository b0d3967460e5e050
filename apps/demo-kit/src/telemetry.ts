import { context, diag, metrics, propagation, trace } from '@opentelemetry/api'
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks'
import {
  CompositePropagator,
  ExportResultCode,
  W3CBaggagePropagator,
  W3CTraceContextPropagator,
} from '@opentelemetry/core'
import { OTLPMetricExporter } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { MeterProvider, PeriodicExportingMetricReader, type PushMetricExporter } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, type SpanExporter, type SpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

/** Longest export in milliseconds, so that a demo does not wait for an absent collector when it stops. */
const EXPORT_TIMEOUT = 2_000

/** Milliseconds between two exports of metrics to an OTLP endpoint. Short, because a viewer may show them. */
const LIVE_INTERVAL = 1_000

/** Options of {@link startTelemetry}. */
export interface TelemetryOptions {
  /** Value of the resource attribute `service.name`, unless the environment names another. */
  readonly serviceName: string
  /** Value of the resource attribute `service.instance.id`. Default: none. */
  readonly instance?: string
  /** Takes every span as it starts and ends. */
  readonly spanProcessor: SpanProcessor
  /** Takes every collection of the metrics. */
  readonly metricExporter: PushMetricExporter
  /** Milliseconds between two collections for `metricExporter`. */
  readonly metricsInterval: number
  /** Base URLs, without a slash at the end, of OTLP/HTTP receivers besides the one in the environment. Default: none. */
  readonly endpoints?: readonly string[]
}

/** A running OpenTelemetry SDK. */
export interface Telemetry {
  /** Flushes and stops the SDK. Failed exports are logged by `diag`. */
  shutdown(): Promise<void>
}

/** Registers the OpenTelemetry SDK: traces, metrics, context and propagation. To be called before the server is made. */
export function startTelemetry(options: TelemetryOptions): Telemetry {
  const resource = defaultResource()
    .merge(
      resourceFromAttributes({
        'service.name': options.serviceName,
        ...(options.instance !== undefined && { 'service.instance.id': options.instance }),
      }),
    )
    .merge(detectResources({ detectors: [envDetector] }))
  const exporters = otlpExporters(options.endpoints ?? [])

  const tracerProvider = new TracerProvider({
    resource,
    spanProcessors: [
      options.spanProcessor,
      ...exporters.map(
        ({ spans }) => new BatchSpanProcessor({ exporter: logFailures(spans), scheduledDelayMillis: 500 }),
      ),
    ],
  })
  const meterProvider = new MeterProvider({
    resource,
    readers: [
      metricReader(options.metricExporter, options.metricsInterval),
      ...exporters.map(({ metrics }) => metricReader(metrics, LIVE_INTERVAL)),
    ],
  })

  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
  propagation.setGlobalPropagator(
    new CompositePropagator({ propagators: [new W3CTraceContextPropagator(), new W3CBaggagePropagator()] }),
  )
  trace.setGlobalTracerProvider(tracerProvider)
  metrics.setGlobalMeterProvider(meterProvider)

  return {
    // An endpoint that does not answer was logged already; the other exports must complete.
    async shutdown() {
      await Promise.allSettled([tracerProvider.shutdown(), meterProvider.shutdown()])
    },
  }
}

function metricReader(exporter: PushMetricExporter, interval: number): PeriodicExportingMetricReader {
  return new PeriodicExportingMetricReader({ exporter, exportIntervalMillis: interval, exportTimeoutMillis: interval })
}

/** Logs failed exports, which the span processor reports only to the caller of `forceFlush`. */
function logFailures(exporter: SpanExporter): SpanExporter {
  return {
    export(spans, done) {
      exporter.export(spans, (result) => {
        if (result.code === ExportResultCode.FAILED) diag.error(result.error?.message ?? 'spans could not be exported')
        done(result)
      })
    },
    shutdown: () => exporter.shutdown(),
  }
}

function otlpExporters(endpoints: readonly string[]) {
  const exporters = endpoints.map((endpoint) => ({
    spans: new OTLPTraceExporter({ url: `${endpoint}/v1/traces`, timeoutMillis: EXPORT_TIMEOUT }),
    metrics: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics`, timeoutMillis: EXPORT_TIMEOUT }),
  }))
  if (environmentEndpoint() !== undefined) {
    // The exporters read all other settings from the environment.
    const own = process.env.OTEL_EXPORTER_OTLP_TIMEOUT ? {} : { timeoutMillis: EXPORT_TIMEOUT }
    exporters.push({ spans: new OTLPTraceExporter(own), metrics: new OTLPMetricExporter(own) })
  }
  return exporters
}

/** The OTLP endpoint that the environment names, if it does. */
export function environmentEndpoint(): string | undefined {
  return process.env.OTEL_EXPORTER_OTLP_ENDPOINT || undefined
}
