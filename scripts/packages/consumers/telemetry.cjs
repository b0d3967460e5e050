// An OpenTelemetry SDK in memory, registered globally.
const { context, metrics, trace } = require('@opentelemetry/api')
const { AsyncLocalStorageContextManager } = require('@opentelemetry/context-async-hooks')
const { MeterProvider, MetricReader } = require('@opentelemetry/sdk-metrics')
const { InMemorySpanExporter, SimpleSpanProcessor, TracerProvider } = require('@opentelemetry/sdk-trace')

class Reader extends MetricReader {
  async onForceFlush() {}
  async onShutdown() {}
}

const exporter = new InMemorySpanExporter()
const reader = new Reader()
context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable())
trace.setGlobalTracerProvider(new TracerProvider({ spanProcessors: [new SimpleSpanProcessor({ exporter })] }))
metrics.setGlobalMeterProvider(new MeterProvider({ readers: [reader] }))

/** Names of the finished spans, sorted. */
exports.spanNames = () =>
  exporter
    .getFinishedSpans()
    .map((span) => span.name)
    .sort()

/** Sum over the data points of an instrument. */
exports.metricSum = async (name) => {
  const { resourceMetrics } = await reader.collect()
  const all = resourceMetrics.scopeMetrics.flatMap((scope) => scope.metrics)
  const points = all.filter((metric) => metric.descriptor.name === name).flatMap((metric) => metric.dataPoints)
  return points.reduce((sum, point) => sum + point.value, 0)
}
