import { randomBytes } from 'node:crypto'

const FIN_AND_TEXT = 0x81
const MASKED = 0x80
const LENGTH_IN_16_BITS = 126

/** One text message of this many bytes (126 to 65,535) as the client sends it and as the server echoes it. */
export function echoFrames(size: number): { request: Buffer; response: Buffer } {
  const start = '{"type":"echo","text":"'
  const payload = Buffer.from(`${start}${'x'.repeat(size - start.length - 2)}"}`)
  const length = [size >> 8, size & 0xff]
  const mask = randomBytes(4)
  return {
    request: Buffer.concat([
      Buffer.from([FIN_AND_TEXT, MASKED | LENGTH_IN_16_BITS, ...length]),
      mask,
      payload.map((byte, i) => byte ^ mask[i % 4]!),
    ]),
    response: Buffer.concat([Buffer.from([FIN_AND_TEXT, LENGTH_IN_16_BITS, ...length]), payload]),
  }
}

/** The bytes of `frame`, `count` times in a row. */
export function repeated(frame: Buffer, count: number): Buffer {
  return Buffer.concat(Array.from({ length: count }, () => frame))
}
