/** The members of Node's `Buffer` that are used: this package has no types of Node. */
interface NodeBuffer extends Uint8Array {
  toString(encoding?: string, start?: number, end?: number): string
}

const { Buffer } = globalThis as unknown as {
  Buffer: {
    byteLength(text: string): number
    isBuffer(value: unknown): value is NodeBuffer
    from(bytes: ArrayBufferLike, offset: number, length: number): NodeBuffer
    concat(parts: readonly Uint8Array[]): NodeBuffer
  }
}

/** Size of a payload in bytes before compression, in any form that `ws` sends or receives; UTF-8 for text. */
export function byteLength(data: unknown): number {
  if (typeof data === 'string') return Buffer.byteLength(data)
  if (Buffer.isBuffer(data)) return data.length
  if (data === undefined || data === null || data === false) return 0
  if (typeof data === 'number') return String(data).length
  if (ArrayBuffer.isView(data) || data instanceof ArrayBuffer || data instanceof SharedArrayBuffer)
    return data.byteLength
  if (Array.isArray(data)) return data.reduce((sum: number, part) => sum + (Buffer.isBuffer(part) ? part.length : 1), 0)
  if (data instanceof Blob) return data.size
  return 0
}

/** Text of the bytes from `start` to `end` of a payload. A character that is cut becomes a replacement character. */
export function payloadText(data: unknown, start: number, end: number): string {
  // Offsets count bytes; a string is cut by characters instead, and one that is read from its end stays aligned to it.
  if (typeof data === 'string') return start === 0 ? data.slice(0, end) : data.slice(start - end)
  if (Buffer.isBuffer(data)) return data.toString('utf8', start, end)
  if (data instanceof ArrayBuffer) return Buffer.from(data, start, end - start).toString('utf8')
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset + start, end - start).toString('utf8')
  if (Array.isArray(data)) return fragmentsText(data as NodeBuffer[], start, end)
  return typeof data === 'number' ? String(data).slice(start, end) : ''
}

function fragmentsText(fragments: readonly Uint8Array[], start: number, end: number): string {
  const parts: Uint8Array[] = []
  let offset = 0
  for (const fragment of fragments) {
    const from = Math.max(start - offset, 0)
    const to = Math.min(end - offset, fragment.length)
    if (from < to) parts.push(fragment.subarray(from, to))
    offset += fragment.length
  }
  return Buffer.concat(parts).toString('utf8')
}
