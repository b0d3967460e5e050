import { type ExportResult, ExportResultCode } from '@opentelemetry/core'
import type { MetricData, PushMetricExporter, ResourceMetrics } from '@opentelemetry/sdk-metrics'
import type { ReadableSpan, Span, SpanProcessor } from '@opentelemetry/sdk-trace'
import { reportDiagnostics } from './diagnostics.ts'
import { startTelemetry, type Telemetry } from './telemetry.ts'

/** A span as it is told to another process: its data without its methods. */
export interface ToldSpan {
  readonly context: ReturnType<ReadableSpan['spanContext']>
  readonly data: Omit<ReadableSpan, 'spanContext' | 'resource'>
  /** Attributes of the resource. */
  readonly resource: ReadableSpan['resource']['attributes']
}

/** What a node of a demo tells the process that started it. */
export type NodeMessage =
  | { readonly telemetry: 'started' | 'ended'; readonly span: ToldSpan }
  | { readonly telemetry: 'metrics'; readonly metrics: readonly MetricData[] }

/** What a node's telemetry is set up with. */
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
 * Registers the OpenTelemetry SDK in a process of its own that a demo has started: it exports by itself, and what it
 * starts, ends and counts is told to the demo, which prints it.
 */
export function startNodeTelemetry({ node, ...options }: NodeTelemetryOptions): Telemetry {
  reportDiagnostics((line) => process.stderr.write(`${node}: ${line}\n`))
  return startTelemetry({
    ...options,
    instance: node,
    spanProcessor: new SpanTeller(),
    metricExporter: new MetricTeller(),
  })
}

function tell(message: NodeMessage): void {
  // The demo may be gone: then so is this process, soon.
  if (process.connected) process.send?.(message, undefined, undefined, () => {})
}

class SpanTeller implements SpanProcessor {
  onStart(span: Span): void {
    tell({ telemetry: 'started', span: told(span as unknown as ReadableSpan) })
  }

  onEnd(span: ReadableSpan): void {
    tell({ telemetry: 'ended', span: told(span) })
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}

function told(span: ReadableSpan): ToldSpan {
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
function contextOf({ traceId, spanId, traceFlags, isRemote }: ToldSpan['context']): ToldSpan['context'] {
  return { traceId, spanId, traceFlags, ...(isRemote !== undefined && { isRemote }) }
}

class MetricTeller implements PushMetricExporter {
  export({ scopeMetrics }: ResourceMetrics, done: (result: ExportResult) => void): void {
    tell({ telemetry: 'metrics', metrics: scopeMetrics.flatMap((scope) => scope.metrics) })
    done({ code: ExportResultCode.SUCCESS })
  }

  async forceFlush(): Promise<void> {}

  async shutdown(): Promise<void> {}
}
