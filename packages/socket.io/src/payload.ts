/** Bytes of what the parser made of a packet: the packet itself, then its attachments. Engine.IO's framing is not counted. */
export function encodedSize(encoded: unknown): number {
  if (!Array.isArray(encoded)) return chunkSize(encoded)
  let size = 0
  for (const chunk of encoded) size += chunkSize(chunk)
  return size
}

/** True when any part of a packet goes as bytes. */
export function isBinary(encoded: unknown): boolean {
  if (!Array.isArray(encoded)) return typeof encoded !== 'string'
  return encoded.length > 1 || typeof encoded[0] !== 'string'
}

/** True when the packet itself, whatever its attachments are, is JSON text, as Socket.IO's own parser makes it. */
export function isJsonText(encoded: unknown): boolean {
  return typeof (Array.isArray(encoded) ? encoded[0] : encoded) === 'string'
}

export function chunkSize(chunk: unknown): number {
  if (typeof chunk === 'string') return Buffer.byteLength(chunk)
  if (ArrayBuffer.isView(chunk) || chunk instanceof ArrayBuffer) return chunk.byteLength
  return 0
}
