/** Returns the bytes of an encoded packet with its attachments, without the framing of Engine.IO. */
export function encodedSize(encoded: unknown): number {
  if (!Array.isArray(encoded)) return chunkSize(encoded)
  let size = 0
  for (const chunk of encoded) size += chunkSize(chunk)
  return size
}

/** Returns true if any part of an encoded packet is binary. */
export function isBinary(encoded: unknown): boolean {
  if (!Array.isArray(encoded)) return typeof encoded !== 'string'
  return encoded.length > 1 || typeof encoded[0] !== 'string'
}

/** Returns true if the packet without its attachments is text, which is JSON with Socket.IO's own parser. */
export function isJsonText(encoded: unknown): boolean {
  return typeof (Array.isArray(encoded) ? encoded[0] : encoded) === 'string'
}

export function chunkSize(chunk: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk)
  if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return chunk.byteLength
  return 0
}
