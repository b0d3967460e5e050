import { closePayload, encodeFrame, OPCODE } from '../../testing/frames.ts'

/** A generator of the same numbers for the same seed, from 0 to below `limit`. */
function numbers(seed: number): (limit: number) => number {
  let state = seed
  return (limit) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor((state / 0x1_0000_0000) * limit)
  }
}

/** Mostly valid frames, some with a wrong bit, opcode, length or payload, and sometimes cut off. */
export function randomFrames(seed: number): Buffer[] {
  const next = numbers(seed)
  const opcodes = [
    OPCODE.text,
    OPCODE.text,
    OPCODE.binary,
    OPCODE.continuation,
    OPCODE.ping,
    OPCODE.pong,
    OPCODE.close,
    5,
  ]
  return Array.from({ length: 1 + next(8) }, () => {
    const opcode = opcodes[next(opcodes.length)] as number
    const payload =
      next(4) === 0 ? Buffer.from([0xff, next(256), 0xc0]) : Buffer.alloc([0, 1, 5, 125, 126, 1500][next(6)] ?? 0, 'ab')
    const frame = encodeFrame(opcode, opcode === OPCODE.close && next(2) ? closePayload(990 + next(40)) : payload, {
      fin: next(5) !== 0,
      masked: next(20) !== 0,
      reserved: next(20) === 0 ? 1 + next(7) : 0,
    })
    return next(15) === 0 ? frame.subarray(0, next(frame.length)) : frame
  })
}
