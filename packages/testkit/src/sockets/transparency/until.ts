import { OPCODE } from '../../testing/frames.ts'
import type { RawClient } from '../../testing/raw-client.ts'

/** Reads until the server has sent a text frame with this content. */
export async function until(client: RawClient, text: string): Promise<void> {
  for (;;) {
    const frame = await client.nextFrame()
    if (frame.opcode === OPCODE.text && frame.payload.toString() === text) return
  }
}
