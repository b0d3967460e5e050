/** Opcodes of RFC 6455, section 5.2. */
export const OPCODE = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

export interface FrameOptions {
  readonly fin?: boolean
  /** A client's frames are masked; false makes one that a server must refuse. */
  readonly masked?: boolean
  /** Reserved bits as a number: 4 is RSV1. */
  readonly reserved?: number
}

/** Fixed, so that the same script gives the same bytes. */
const MASK = Buffer.from([0x37, 0xfa, 0x21, 0x3d])

/** One frame as a client writes it; every field can be wrong on purpose. */
export function encodeFrame(opcode: number, payload: string | Buffer = '', options: FrameOptions = {}): Buffer {
  const { fin = true, masked = true, reserved = 0 } = options
  const body = Buffer.from(payload)
  const length =
    body.length < 126 ? Buffer.from([body.length]) : body.length < 65_536 ? extended(126, body.length, 2) : long(body)
  length[0] = (length[0] as number) | (masked ? 0x80 : 0)
  const first = Buffer.from([(fin ? 0x80 : 0) | (reserved << 4) | opcode])
  if (!masked) return Buffer.concat([first, length, body])
  return Buffer.concat([first, length, MASK, body.map((byte, index) => byte ^ (MASK[index % 4] as number))])
}

/** A close frame's payload: the code in two bytes, then the reason. */
export function closePayload(code: number, reason = ''): Buffer {
  const payload = Buffer.alloc(2)
  payload.writeUInt16BE(code)
  return Buffer.concat([payload, Buffer.from(reason)])
}

function extended(marker: number, length: number, bytes: number): Buffer {
  const header = Buffer.alloc(1 + bytes)
  header[0] = marker
  header.writeUIntBE(length, 1, bytes)
  return header
}

function long(body: Buffer): Buffer {
  const header = Buffer.alloc(9)
  header[0] = 127
  header.writeBigUInt64BE(BigInt(body.length), 1)
  return header
}

export interface Frame {
  readonly opcode: number
  readonly fin: boolean
  readonly reserved: number
  readonly payload: Buffer
}

/** Takes complete unmasked frames from the front of `bytes`; `rest` is what remains. */
export function decodeFrames(bytes: Buffer): { frames: Frame[]; rest: Buffer } {
  const frames: Frame[] = []
  let rest = bytes
  while (rest.length >= 2) {
    const [first, second] = [rest[0] as number, rest[1] as number]
    const short = second & 0x7f
    const header = short === 126 ? 4 : short === 127 ? 10 : 2
    if (rest.length < header) break
    const length = short === 126 ? rest.readUInt16BE(2) : short === 127 ? Number(rest.readBigUInt64BE(2)) : short
    if (rest.length < header + length) break
    frames.push({
      opcode: first & 0x0f,
      fin: (first & 0x80) !== 0,
      reserved: (first >> 4) & 0x07,
      payload: rest.subarray(header, header + length),
    })
    rest = rest.subarray(header + length)
  }
  return { frames, rest }
}
