import { setImmediate as turn } from 'node:timers/promises'
import { gunzipSync } from 'node:zlib'
import type { Intake } from '../otlp/intake.ts'
import type { Archive } from './archive.ts'

/** Takes everything that the archive keeps once more. A request that cannot be read any more is left out. */
export async function replay(archive: Archive, intake: Intake, maxInflatedBytes: number): Promise<void> {
  let taken = 0
  for (const { signal, encoding, gzip, bytes } of archive.read()) {
    try {
      const body = gzip ? gunzipSync(bytes, { maxOutputLength: maxInflatedBytes }) : Buffer.from(bytes)
      intake.take(signal, encoding, body)
    } catch (error) {
      intake.refused(`kept request: ${error instanceof Error ? error.message : String(error)}`)
    }
    // The program that embeds the viewer goes on meanwhile.
    if (++taken % 20 === 0) await turn()
  }
}
