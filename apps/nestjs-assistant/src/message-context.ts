import type { Carrier } from '@otel-ws/nestjs'
import { PREFIX } from './audio-frame.ts'

/**
 * Finds the trace context in the header of audio: option `messageContext` of the gateways' tracing, which leaves binary
 * messages alone otherwise. What is no audio is rejected by the handler of the message.
 */
export function messageContext(data: unknown): Carrier | undefined {
  if (!Buffer.isBuffer(data) || data.length < PREFIX) return undefined
  try {
    const header = JSON.parse(data.toString('utf8', PREFIX, PREFIX + data.readUInt16BE()))
    return (header as { _otel?: Carrier } | null)?._otel
  } catch {
    return undefined
  }
}
