import protobuf from 'protobufjs/light.js'
import { checkProtobuf } from './complexity.ts'
import { otlpDescriptor } from './descriptor.ts'
import type { Signal } from './signals.ts'

const root = protobuf.Root.fromJSON(otlpDescriptor)
const requests: Readonly<Record<Signal, protobuf.Type>> = {
  traces: root.lookupType('otlp.TraceRequest'),
  metrics: root.lookupType('otlp.MetricsRequest'),
  logs: root.lookupType('otlp.LogsRequest'),
}
const exportResponse = root.lookupType('otlp.ExportResponse')
const status = root.lookupType('otlp.Status')

/**
 * Decodes a protobuf export request into the shape of its OTLP/JSON body. Throws when it is malformed, and
 * `TooComplex` when it would decode to more than `most` values.
 */
export function decodeProtobuf(signal: Signal, body: Uint8Array, most: number): unknown {
  const type = requests[signal]
  checkProtobuf(type, body, most)
  return type.decode(body)
}

/** Encodes the answer to an export request; an empty message says that everything was taken. */
export function encodeExportResponse(rejected: number, errorMessage: string): Uint8Array {
  const message = rejected > 0 ? { partialSuccess: { rejected, errorMessage } } : {}
  return exportResponse.encode(exportResponse.create(message)).finish()
}

/** Encodes the `google.rpc.Status` that OTLP asks for in the body of a 4xx or 5xx answer. */
export function encodeStatus(code: number, message: string): Uint8Array {
  return status.encode(status.create({ code, message })).finish()
}
