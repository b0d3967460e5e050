import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { MetricData, PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { reportDiagnostics } from './diagnostics.ts'
import { startTelemetry, type Telemetry } from './telemetry.ts'

/** A span as it is sent to another process: its data without its methods. */
export interface SentSpan {
  readonly context: ReturnType<ReadableSpan['spanContext']>
  readonly data: Omit<ReadableSpan, 'spanContext' | 'resource'>
  /** Attributes of the resource. */
  readonly resource: ReadableSpan['resource']['attributes']
}

/** Message from a node of a demo to the process that started it. */
export type NodeMessage =
  | { readonly telemetry: 'started' | 'ended'; readonly span: SentSpan }
  | { readonly telemetry: 'metrics'; readonly metrics: readonly MetricData[] }

/** Options of {@link startNodeTelemetry}. */
export interface NodeTelemetryOptions {
  /** Value of the resource attribute `service.name`. */
  readonly serviceName: string
  /** Value of the resource attribute `service.instance.id`. */
  readonly node: string
  /** Milliseconds between two collections of the metrics. */
  readonly metricsInterval: number
  /** Base URLs of OTLP/HTTP receivers. */
  readonly endpoints: readonly string[]
}

/**
 * Registers the OpenTelemetry SDK in a process that a demo has started. The process exports its telemetry itself, and sends
 * spans and metrics to the demo, which prints them.
 */
export function startNodeTelemetry({ node, ...options }: NodeTelemetryOptions): Telemetry {
  reportDiagnostics((line) => process.stderr.write(`${node}: ${line}\n`))
  return startTelemetry({
    ...options,
    instance: node,
    spanProcessor: new SpanSender(),
    metricExporter: new MetricSender(),
  })
}

function sendToDemo(message: NodeMessage): void {
  // Without the demo this process ends soon.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

class SpanSender implements SpanProcessor {
  onStart(span: Span): void {
    sendToDemo({ telemetry: 'started', span: sentSpan(span as unknown as ReadableSpan) })
  }

  onEnd(span: ReadableSpan): void {
    sendToDemo({ telemetry: 'ended', span: sentSpan(span) })
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

function sentSpan(span: ReadableSpan): SentSpan {
  const { name, kind, parentSpanContext, startTime, endTime, status, attributes, links, events, duration, ended } = span
  const { instrumentationScope, droppedAttributesCount, droppedEventsCount, droppedLinksCount } = span
  return {
    context: contextOf(span.spanContext()),
    resource: span.resource.attributes,
    data: {
      name,
      kind,
      ...(parentSpanContext && { parentSpanContext: contextOf(parentSpanContext) }),
      startTime,
      endTime,
      status,
      attributes,
      links: links.map((link) => ({ ...link, context: contextOf(link.context) })),
      events,
      duration,
      ended,
      instrumentationScope,
      droppedAttributesCount,
      droppedEventsCount,
      droppedLinksCount,
    },
  }
}

/** Ids without the trace state, which is an object with methods. */
function contextOf({ traceId, spanId, traceFlags, isRemote }: SentSpan['context']): SentSpan['context'] {
  return { traceId, spanId, traceFlags, ...(isRemote !== undefined && { isRemote }) }
}

class MetricSender implements PushMetricExporter {
  export({ scopeMetrics }: ResourceMetrics, done: (result: ExportResult) => void): void {
    sendToDemo({ telemetry: 'metrics', metrics: scopeMetrics.flatMap((scope) => scope.metrics) })
    done({ code: ExportResultCode.SUCCESS })
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
