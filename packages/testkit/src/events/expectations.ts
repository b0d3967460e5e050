import { PATIENCE } from '../testing/patience.ts'
import type { EventHarness } from './harness.ts'

/** Attributes that every span and metric of a host's connections has. */
export function placeOf({ names }: EventHarness): Record<string, string> {
  const place: Record<string, string> = { 'websocket.route': names.route }
  if (names.namespace !== undefined) place['websocket.namespace'] = names.namespace
  return place
}

/** Resolves once `done` returns true; for what no span shows. */
export async function eventually(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${PATIENCE} ms: ${done}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
