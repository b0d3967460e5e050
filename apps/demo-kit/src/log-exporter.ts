import { ROOT_CONTEXT, TraceFlags, trace } from '@opentelemetry/api'
import { type AnyValueMap, SeverityNumber } from '@opentelemetry/api-logs'
import { OTLPLogExporter } from '@opentelemetry/exporter-logs-otlp-http'
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources'
import { BatchLogRecordProcessor, LoggerProvider } from '@opentelemetry/sdk-logs'

/** Milliseconds until a record is exported: a person may be watching. */
const DELAY = 500
/** What pino writes into every line, and what belongs elsewhere in a log record. */
const OWN = new Set(['level', 'time', 'msg', 'pid', 'hostname', 'v', 'trace_id', 'span_id', 'trace_flags', 'err'])

const SEVERITIES: Readonly<Record<number, SeverityNumber>> = {
  10: SeverityNumber.TRACE,
  20: SeverityNumber.DEBUG,
  30: SeverityNumber.INFO,
  40: SeverityNumber.WARN,
  50: SeverityNumber.ERROR,
  60: SeverityNumber.FATAL,
}

/** Exports the lines of a logger as OpenTelemetry's log records. */
export interface LogExporter {
  /** Exports one line that was parsed. */
  readonly emit: (line: Readonly<Record<string, unknown>>) => void
  /** Exports the rest and stops. */
  readonly shutdown: () => Promise<void>
}

/**
 * Makes the exporter of a demo's log, which a program of its own would have from the instrumentation of its logger:
 * `serviceName` as for its traces, `endpoints` the base URLs of OTLP/HTTP receivers.
 */
export function logExporter(serviceName: string, endpoints: readonly string[]): LogExporter {
  const resource = defaultResource()
    .merge(resourceFromAttributes({ 'service.name': serviceName }))
    .merge(detectResources({ detectors: [envDetector] }))
  const exporters = endpoints.map((endpoint) => new OTLPLogExporter({ url: `${endpoint}/v1/logs` }))
  const processors = exporters.map((exporter) => new BatchLogRecordProcessor({ exporter, scheduledDelayMillis: DELAY }))
  const provider = new LoggerProvider({ resource, processors })
  const logger = provider.getLogger('pino')
  return {
    emit(line) {
      logger.emit({
        severityNumber: SEVERITIES[Number(line.level)] ?? SeverityNumber.UNSPECIFIED,
        body: String(line.msg ?? ''),
        attributes: attributesOf(line),
        context: contextOf(line),
        ...(typeof line.time === 'number' && { timestamp: line.time }),
      })
    },
    shutdown: () => provider.shutdown(),
  }
}

function attributesOf(line: Readonly<Record<string, unknown>>): AnyValueMap {
  const attributes: AnyValueMap = {}
  for (const [key, value] of Object.entries(line)) if (!OWN.has(key)) attributes[key] = value as AnyValueMap[string]
  const error = line.err as { type?: string; message?: string; stack?: string } | undefined
  if (error?.type !== undefined) attributes['exception.type'] = error.type
  if (error?.message !== undefined) attributes['exception.message'] = error.message
  if (error?.stack !== undefined) attributes['exception.stacktrace'] = error.stack
  return attributes
}

function contextOf(line: Readonly<Record<string, unknown>>) {
  const { trace_id: traceId, span_id: spanId } = line
  if (typeof traceId !== 'string' || typeof spanId !== 'string') return ROOT_CONTEXT
  return trace.setSpanContext(ROOT_CONTEXT, { traceId, spanId, traceFlags: TraceFlags.SAMPLED })
}
