import type { Meter, Tracer } from '@opentelemetry/api'
import type { Logger } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { OTLPMetricExporter as JsonMetrics } from '@opentelemetry/exporter-metrics-otlp-http'
import { OTLPMetricExporter as ProtoMetrics } from '@opentelemetry/exporter-metrics-otlp-proto'
import { OTLPTraceExporter as JsonTraces } from '@opentelemetry/exporter-trace-otlp-http'
import { OTLPTraceExporter as ProtoTraces } from '@opentelemetry/exporter-trace-otlp-proto'
import { CompressionAlgorithm } from '@opentelemetry/otlp-exporter-base'
import { resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'
import { MeterProvider, PeriodicExportingMetricReader } from '@opentelemetry/sdk-metrics'
import { BatchSpanProcessor, TracerProvider } from '@opentelemetry/sdk-trace'

export interface TelemetryOptions {
  readonly endpoint: string
  readonly service: string
  /** Default: one of the service's own name. */
  readonly instance?: string
  /** Default `@otel-ws/ws`. */
  readonly scope?: string
  readonly encoding?: 'json' | 'protobuf'
  readonly gzip?: boolean
}

/** The SDK of one service with real OTLP exporters: what reaches the viewer went over the wire. */
export class Telemetry {
  readonly tracer: Tracer
  readonly meter: Meter
  readonly logger: Logger
  readonly #traces: TracerProvider
  readonly #metrics: MeterProvider
  readonly #logs: LoggerProvider

  constructor(options: TelemetryOptions) {
    const { endpoint, service, instance = `${service}-1`, scope = '@otel-ws/ws' } = options
    const { encoding = 'protobuf', gzip = true } = options
    const compression = gzip ? CompressionAlgorithm.GZIP : CompressionAlgorithm.NONE
    const traces = { url: `${endpoint}/v1/traces`, compression }
    const metrics = { url: `${endpoint}/v1/metrics`, compression }
    const resource = resourceFromAttributes({ 'service.name': service, 'service.instance.id': instance })
    const spans = encoding === 'json' ? new JsonTraces(traces) : new ProtoTraces(traces)
    const points = encoding === 'json' ? new JsonMetrics(metrics) : new ProtoMetrics(metrics)
    this.#traces = new TracerProvider({
      resource,
      spanProcessors: [new BatchSpanProcessor({ exporter: spans, maxQueueSize: 100_000 })],
    })
    this.#metrics = new MeterProvider({
      resource,
      readers: [new PeriodicExportingMetricReader({ exporter: points, exportIntervalMillis: 3_600_000 })],
    })
    const exporter = new OTLPLogExporter({ url: `${endpoint}/v1/logs` })
    this.#logs = new LoggerProvider({ resource, processors: [new BatchLogRecordProcessor({ exporter })] })
    this.logger = this.#logs.getLogger('pino')
    this.tracer = this.#traces.getTracer(scope)
    this.meter = this.#metrics.getMeter(scope)
  }

  /** Exports everything so far, and resolves once the viewer has answered. */
  async flush(): Promise<void> {
    await Promise.all([this.#traces.forceFlush(), this.#metrics.forceFlush(), this.#logs.forceFlush()])
  }

  async shutdown(): Promise<void> {
    await Promise.all([this.#traces.shutdown(), this.#metrics.shutdown(), this.#logs.shutdown()])
  }
}
