import { setImmediate } from 'node:timers/promises'

/** Turns of the event loop in which the events of a closed host may still be due. */
const MAX_TURNS = 100

/**
 * A host may report that it is closed before the `close` events of its sockets, which are due within a few turns of the
 * event loop. Waits until as many entries have arrived in a transcript as in the one that it is compared with.
 */
export async function lateEntries(transcript: readonly unknown[], expected: readonly unknown[]): Promise<void> {
  for (let turn = 0; turn < MAX_TURNS && transcript.length < expected.length; turn++) await setImmediate()
}
