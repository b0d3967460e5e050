import { emptyResource } from '@opentelemetry/resources'
import type { MetricData, PushMetricExporter } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import type { NodeMessage, ToldSpan } from './node-telemetry.ts'

/** Takes what the nodes of a demo tell of their telemetry, as if it were this process's own. */
export class RemoteTelemetry {
  readonly #spans: SpanProcessor
  readonly #open = new Map<string, ReadableSpan>()
  readonly #metrics = new Map<string, readonly MetricData[]>()

  constructor(spans: SpanProcessor) {
    this.#spans = spans
  }

  /** Takes a message of a node; anything else than one of telemetry is left alone. */
  receive(node: string, message: unknown): void {
    const { telemetry } = (message ?? {}) as { readonly telemetry?: unknown }
    if (telemetry === undefined) return
    const told = message as NodeMessage
    if (told.telemetry === 'metrics') this.#metrics.set(node, told.metrics)
    else if (told.telemetry === 'started') this.#started(told.span)
    else this.#ended(told.span)
  }

  /** Hands an exporter what all nodes have collected last, as one collection. Does nothing for a demo without nodes. */
  exportMetrics(exporter: PushMetricExporter): void {
    if (this.#metrics.size === 0) return
    const scopeMetrics = [{ scope: { name: 'nodes' }, metrics: merge([...this.#metrics.values()].flat()) }]
    exporter.export({ resource: emptyResource(), scopeMetrics }, () => {})
  }

  #started(told: ToldSpan): void {
    const span = { ...told.data, spanContext: () => told.context, resource: { attributes: told.resource } }
    this.#open.set(told.context.spanId, span as unknown as ReadableSpan)
    this.#spans.onStart(span as unknown as Span, undefined as never)
  }

  #ended({ context, data }: ToldSpan): void {
    const span = this.#open.get(context.spanId)
    if (span === undefined) return
    this.#open.delete(context.spanId)
    this.#spans.onEnd(Object.assign(span, data))
  }
}

/** One metric of each name, with the data points of all. */
function merge(metrics: readonly MetricData[]): MetricData[] {
  const byName = new Map<string, MetricData>()
  for (const metric of metrics) {
    const known = byName.get(metric.descriptor.name)
    const dataPoints = [...(known?.dataPoints ?? []), ...metric.dataPoints]
    byName.set(metric.descriptor.name, { ...metric, dataPoints } as MetricData)
  }
  return [...byName.values()]
}
