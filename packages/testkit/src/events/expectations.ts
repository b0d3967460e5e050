import type { EventHarness } from './harness.ts'

/** Long enough to tell a duration that includes it from one that does not, in ms. */
export const DELAY = 60
/** Timers may fire up to this much early, in ms. */
export const SLACK = 2

export const delay = (ms = DELAY): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms))

/** Attributes that every span and metric of a host's connections has. */
export function placeOf({ names }: EventHarness): Record<string, string> {
  const place: Record<string, string> = { 'websocket.route': names.route }
  if (names.namespace !== undefined) place['websocket.namespace'] = names.namespace
  return place
}

/** How long a wait lasts before it fails, in ms. */
const PATIENCE = 30_000

/** Resolves once `done` holds; for what no span tells of. */
export async function eventually(done: () => boolean | Promise<boolean>): Promise<void> {
  const deadline = performance.now() + PATIENCE
  while (!(await done())) {
    if (performance.now() > deadline) throw new Error(`still not so after ${PATIENCE} ms: ${done}`)
    await new Promise((resolve) => setImmediate(resolve))
  }
}
