import { emptyResource } from '@opentelemetry/resources'
import type { MetricData, PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { NodeMessage, SentSpan } from './node-telemetry.ts'

/** Receives the telemetry of a demo's nodes and passes it on as if it were from this process. */
export class RemoteTelemetry {
  readonly #spans: SpanProcessor
  readonly #open = new Map<string, ReadableSpan>()
  readonly #metrics = new Map<string, readonly MetricData[]>()

  constructor(spans: SpanProcessor) {
    this.#spans = spans
  }

  /** Receives a message of a node. Messages without telemetry are ignored. */
  receive(node: string, message: unknown): void {
    const { telemetry } = (message ?? {}) as { readonly telemetry?: unknown }
    if (telemetry === undefined) return
    const received = message as NodeMessage
    if (received.telemetry === 'metrics') this.#metrics.set(node, received.metrics)
    else if (received.telemetry === 'started') this.#started(received.span)
    else this.#ended(received.span)
  }

  /** Exports the last metrics of all nodes as one collection. Does nothing for a demo without nodes. */
  exportMetrics(exporter: PushMetricExporter): void {
    if (this.#metrics.size === 0) return
    const scopeMetrics = [{ scope: { name: 'nodes' }, metrics: merge([...this.#metrics.values()].flat()) }]
    exporter.export({ resource: emptyResource(), scopeMetrics }, () => {})
  }

  #started({ context, data, resource }: SentSpan): void {
    const span = { ...data, spanContext: () => context, resource: { attributes: resource } }
    this.#open.set(context.spanId, span as unknown as ReadableSpan)
    this.#spans.onStart(span as unknown as Span, undefined as never)
  }

  #ended({ context, data }: SentSpan): void {
    const span = this.#open.get(context.spanId)
    if (span === undefined) return
    this.#open.delete(context.spanId)
    this.#spans.onEnd(Object.assign(span, data))
  }
}

/** Merges metrics of the same name into one with all data points. */
function merge(metrics: readonly MetricData[]): MetricData[] {
  const byName = new Map<string, MetricData>()
  for (const metric of metrics) {
    const known = byName.get(metric.descriptor.name)
    const dataPoints = [...(known?.dataPoints ?? []), ...metric.dataPoints]
    byName.set(metric.descriptor.name, { ...metric, dataPoints } as MetricData)
  }
  return [...byName.values()]
}
