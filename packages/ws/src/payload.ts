/** Payload size in bytes, as `ws` will put it on the wire before compression; UTF-8 for text. */
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

/** Text of the bytes from `start` to `end` of a payload; a character that is cut becomes a replacement character. */
export function payloadText(data: unknown, start: number, end: number): string {
  // Offsets count bytes. A string is cut by characters instead: what is read from its end stays at its end.
  if (typeof data === 'string') return start === 0 ? data.slice(0, end) : data.slice(start - end)
  if (Buffer.isBuffer(data)) return data.toString('utf8', start, end)
  if (data instanceof ArrayBuffer) return Buffer.from(data, start, end - start).toString('utf8')
  if (ArrayBuffer.isView(data)) return Buffer.from(data.buffer, data.byteOffset + start, end - start).toString('utf8')
  if (Array.isArray(data)) return fragmentsText(data as Buffer[], start, end)
  return typeof data === 'number' ? String(data).slice(start, end) : ''
}

function fragmentsText(fragments: Buffer[], start: number, end: number): string {
  const parts: Buffer[] = []
  let offset = 0
  for (const fragment of fragments) {
    const from = Math.max(start - offset, 0)
    const to = Math.min(end - offset, fragment.length)
    if (from < to) parts.push(fragment.subarray(from, to))
    offset += fragment.length
  }
  return Buffer.concat(parts).toString('utf8')
}
