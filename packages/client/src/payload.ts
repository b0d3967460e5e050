/** What a browser sends as a binary message; all else it makes a text. */
export function isBinary(data: unknown): boolean {
  return data instanceof ArrayBuffer || ArrayBuffer.isView(data) || data instanceof Blob
}

/** Payload size in bytes; UTF-8 for text. Of what is made a text only when it is sent, 0. */
export function sizeOf(data: unknown): number {
  if (typeof data === 'string') return utf8Length(data)
  if (typeof data === 'number') return String(data).length
  if (Array.isArray(data)) return data.reduce((sum: number, part) => sum + sizeOf(part), 0)
  return bytesOf(data) ?? (data as Blob | null | undefined)?.size ?? 0
}

function bytesOf(data: unknown): number | undefined {
  return (data as ArrayBuffer | null | undefined)?.byteLength
}

/** Bytes of a text on the wire, where a half of a character counts as the replacement that is sent for it. */
function utf8Length(text: string): number {
  let bytes = text.length
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index)
    if (code < 0x80) continue
    if (code < 0x800) bytes++
    else {
      bytes += 2
      // A pair of surrogates is one character of four bytes.
      if (code >= 0xd800 && code < 0xdc00 && isLowSurrogate(text.charCodeAt(index + 1))) index++
    }
  }
  return bytes
}

function isLowSurrogate(code: number): boolean {
  return code >= 0xdc00 && code < 0xe000
}
