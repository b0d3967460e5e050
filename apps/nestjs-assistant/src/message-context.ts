import type { Carrier } from '@otel-ws/nestjs'
import { PREFIX } from './audio-frame.ts'

/**
 * Finds the trace context in what is this application's own format: in the header of audio, and, on Socket.IO, in the body
 * of an event. It is option `messageContext` of the gateways' tracing, which looks into JSON text by itself. What is no
 * message of ours is told by whoever handles it.
 */
export function messageContext(data: unknown): Carrier | undefined {
  // On Socket.IO a message is its event and what was sent with it.
  const message = Array.isArray(data) ? data[1] : data
  return carrierIn(Buffer.isBuffer(message) ? headerOf(message) : message)
}

function headerOf(frame: Buffer): unknown {
  if (frame.length < PREFIX) return undefined
  try {
    return JSON.parse(frame.toString('utf8', PREFIX, PREFIX + frame.readUInt16BE()))
  } catch {
    return undefined
  }
}

function carrierIn(body: unknown): Carrier | undefined {
  return typeof body === 'object' && body !== null ? (body as { _otel?: Carrier })._otel : undefined
}
