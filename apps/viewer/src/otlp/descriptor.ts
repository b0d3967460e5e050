/*
 * The part of the OTLP protobuf schema (opentelemetry.proto, stable v1) that the viewer reads, as a protobufjs
 * descriptor. Fields that are left out are skipped by the decoder. Field names are camel case, so a decoded message
 * has the same shape as the OTLP/JSON body and one reader serves both.
 */

const repeated = (id: number, type: string) => ({ rule: 'repeated', type, id })
const field = (id: number, type: string) => ({ type, id })

/** Namespace `otlp` with the messages `TraceRequest`, `MetricsRequest`, `LogsRequest`, `ExportResponse` and `Status`. */
export const otlpDescriptor = {
  nested: {
    otlp: {
      nested: {
        TraceRequest: { fields: { resourceSpans: repeated(1, 'ResourceSpans') } },
        ResourceSpans: { fields: { resource: field(1, 'Resource'), scopeSpans: repeated(2, 'ScopeSpans') } },
        ScopeSpans: { fields: { scope: field(1, 'Scope'), spans: repeated(2, 'Span') } },
        Span: {
          fields: {
            traceId: field(1, 'bytes'),
            spanId: field(2, 'bytes'),
            parentSpanId: field(4, 'bytes'),
            name: field(5, 'string'),
            kind: field(6, 'int32'),
            startTimeUnixNano: field(7, 'fixed64'),
            endTimeUnixNano: field(8, 'fixed64'),
            attributes: repeated(9, 'KeyValue'),
            droppedAttributesCount: field(10, 'uint32'),
            events: repeated(11, 'Event'),
            droppedEventsCount: field(12, 'uint32'),
            links: repeated(13, 'Link'),
            droppedLinksCount: field(14, 'uint32'),
            status: field(15, 'SpanStatus'),
          },
        },
        Event: {
          fields: {
            timeUnixNano: field(1, 'fixed64'),
            name: field(2, 'string'),
            attributes: repeated(3, 'KeyValue'),
          },
        },
        Link: {
          fields: { traceId: field(1, 'bytes'), spanId: field(2, 'bytes'), attributes: repeated(4, 'KeyValue') },
        },
        SpanStatus: { fields: { message: field(2, 'string'), code: field(3, 'int32') } },

        MetricsRequest: { fields: { resourceMetrics: repeated(1, 'ResourceMetrics') } },
        ResourceMetrics: { fields: { resource: field(1, 'Resource'), scopeMetrics: repeated(2, 'ScopeMetrics') } },
        ScopeMetrics: { fields: { scope: field(1, 'Scope'), metrics: repeated(2, 'Metric') } },
        Metric: {
          fields: {
            name: field(1, 'string'),
            description: field(2, 'string'),
            unit: field(3, 'string'),
            gauge: field(5, 'Gauge'),
            sum: field(7, 'Sum'),
            histogram: field(9, 'Histogram'),
            exponentialHistogram: field(10, 'ExponentialHistogram'),
            summary: field(11, 'Summary'),
          },
        },
        Gauge: { fields: { dataPoints: repeated(1, 'NumberDataPoint') } },
        Sum: {
          fields: {
            dataPoints: repeated(1, 'NumberDataPoint'),
            aggregationTemporality: field(2, 'int32'),
            isMonotonic: field(3, 'bool'),
          },
        },
        NumberDataPoint: {
          fields: {
            startTimeUnixNano: field(2, 'fixed64'),
            timeUnixNano: field(3, 'fixed64'),
            asDouble: field(4, 'double'),
            asInt: field(6, 'sfixed64'),
            exemplars: repeated(5, 'Exemplar'),
            attributes: repeated(7, 'KeyValue'),
          },
        },
        Histogram: {
          fields: { dataPoints: repeated(1, 'HistogramDataPoint'), aggregationTemporality: field(2, 'int32') },
        },
        HistogramDataPoint: {
          fields: {
            startTimeUnixNano: field(2, 'fixed64'),
            timeUnixNano: field(3, 'fixed64'),
            count: field(4, 'fixed64'),
            sum: field(5, 'double'),
            bucketCounts: repeated(6, 'fixed64'),
            explicitBounds: repeated(7, 'double'),
            exemplars: repeated(8, 'Exemplar'),
            attributes: repeated(9, 'KeyValue'),
            max: field(12, 'double'),
          },
        },
        ExponentialHistogram: {
          fields: {
            dataPoints: repeated(1, 'ExponentialHistogramDataPoint'),
            aggregationTemporality: field(2, 'int32'),
          },
        },
        ExponentialHistogramDataPoint: {
          fields: {
            attributes: repeated(1, 'KeyValue'),
            startTimeUnixNano: field(2, 'fixed64'),
            timeUnixNano: field(3, 'fixed64'),
            count: field(4, 'fixed64'),
            sum: field(5, 'double'),
            scale: field(6, 'sint32'),
            zeroCount: field(7, 'fixed64'),
            positive: field(8, 'ExponentialBuckets'),
            negative: field(9, 'ExponentialBuckets'),
            exemplars: repeated(11, 'Exemplar'),
            max: field(13, 'double'),
          },
        },
        Exemplar: {
          fields: {
            timeUnixNano: field(2, 'fixed64'),
            asDouble: field(3, 'double'),
            spanId: field(4, 'bytes'),
            traceId: field(5, 'bytes'),
            asInt: field(6, 'sfixed64'),
          },
        },
        ExponentialBuckets: { fields: { offset: field(1, 'sint32'), bucketCounts: repeated(2, 'uint64') } },
        Summary: { fields: { dataPoints: repeated(1, 'SummaryDataPoint') } },
        SummaryDataPoint: { fields: { timeUnixNano: field(3, 'fixed64') } },

        LogsRequest: { fields: { resourceLogs: repeated(1, 'ResourceLogs') } },
        ResourceLogs: { fields: { resource: field(1, 'Resource'), scopeLogs: repeated(2, 'ScopeLogs') } },
        ScopeLogs: { fields: { scope: field(1, 'Scope'), logRecords: repeated(2, 'LogRecord') } },
        LogRecord: {
          fields: {
            timeUnixNano: field(1, 'fixed64'),
            severityNumber: field(2, 'int32'),
            severityText: field(3, 'string'),
            body: field(5, 'AnyValue'),
            attributes: repeated(6, 'KeyValue'),
            droppedAttributesCount: field(7, 'uint32'),
            traceId: field(9, 'bytes'),
            spanId: field(10, 'bytes'),
            observedTimeUnixNano: field(11, 'fixed64'),
            eventName: field(12, 'string'),
          },
        },

        Resource: { fields: { attributes: repeated(1, 'KeyValue') } },
        Scope: { fields: { name: field(1, 'string'), version: field(2, 'string') } },
        KeyValue: { fields: { key: field(1, 'string'), value: field(2, 'AnyValue') } },
        AnyValue: {
          oneofs: {
            value: {
              oneof: ['stringValue', 'boolValue', 'intValue', 'doubleValue', 'arrayValue', 'kvlistValue', 'bytesValue'],
            },
          },
          fields: {
            stringValue: field(1, 'string'),
            boolValue: field(2, 'bool'),
            intValue: field(3, 'int64'),
            doubleValue: field(4, 'double'),
            arrayValue: field(5, 'ArrayValue'),
            kvlistValue: field(6, 'KeyValueList'),
            bytesValue: field(7, 'bytes'),
          },
        },
        ArrayValue: { fields: { values: repeated(1, 'AnyValue') } },
        KeyValueList: { fields: { values: repeated(1, 'KeyValue') } },

        ExportResponse: { fields: { partialSuccess: field(1, 'PartialSuccess') } },
        PartialSuccess: { fields: { rejected: field(1, 'int64'), errorMessage: field(2, 'string') } },
        Status: { fields: { code: field(1, 'int32'), message: field(2, 'string') } },
      },
    },
  },
}
