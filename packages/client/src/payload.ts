/** True for payloads that a browser sends as a binary message; it converts others to text. */
export function isBinary(data: unknown): boolean {
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) || data instanceof Blob
}

const encoder = new TextEncoder()

/** Payload size in bytes; UTF-8 for text. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return encoder.encode(data).length
  const { byteLength, size } = Object(data) as { byteLength?: number; size?: number }
  return byteLength ?? size ?? 0
}
