import { randomBytes } from 'node:crypto'

const FIN_AND_TEXT = 0x81
const MASKED = 0x80
const LENGTH_IN_16_BITS = 126

/** A text message of this many bytes (126 to 65,535) that starts and ends like this. */
export function message(size: number, start: string, end: string): string {
  return `${start}${'x'.repeat(size - start.length - end.length)}${end}`
}

/** A text message as a client sends it. */
export function clientFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  const mask = randomBytes(4)
  return Buffer.concat([header(payload.length, MASKED), mask, payload.map((byte, i) => byte ^ mask[i % 4]!)])
}

/** A text message as a server sends it. */
export function serverFrame(text: string): Buffer {
  const payload = Buffer.from(text)
  return Buffer.concat([header(payload.length, 0), payload])
}

function header(size: number, masked: number): Buffer {
  if (size < LENGTH_IN_16_BITS) return Buffer.from([FIN_AND_TEXT, masked | size])
  return Buffer.from([FIN_AND_TEXT, masked | LENGTH_IN_16_BITS, size >> 8, size & 0xff])
}

/** The bytes of `frame`, `count` times in a row. */
export function repeated(frame: Buffer, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => frame))
}
