import { setMaxListeners } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'

/** Running simulated users. */
export interface Users {
  /** Waits until all users have finished and disconnected. */
  stop(): Promise<void>
}

/** A client that connects again and again, to misbehave. */
export interface Stranger<Place> {
  /** One visit. Rounds start at 1. */
  readonly visit: (place: Place, stop: AbortSignal, round: number) => Promise<void>
  /** Milliseconds until the first visit. */
  readonly after: number
  /** Milliseconds between two visits. */
  readonly every: number
}

/** The users to simulate. */
export interface Cast<Place> {
  /** Passed to every user. */
  readonly place: Place
  /** Number of residents; without residents there are no strangers. */
  readonly count: number
  /** The actions of a resident, until `stop` is aborted. */
  readonly resident: (place: Place, stop: AbortSignal, index: number) => Promise<void>
  readonly strangers: readonly Stranger<Place>[]
}

const NAMES = ['ada', 'grace', 'alan', 'edsger', 'barbara', 'dennis', 'frances', 'donald', 'radia', 'ken']

/** Runs users until they are stopped. */
export function simulateUsers<Place>({ place, count, resident, strangers }: Cast<Place>): Users {
  const controller = new AbortController()
  const stop = controller.signal
  // Every user that pauses adds a listener.
  setMaxListeners(0, stop)
  const parts = Array.from({ length: count }, (_, index) => resident(place, stop, index))
  if (count > 0) parts.push(...strangers.map((stranger) => comeAgain(stranger, place, stop)))
  return {
    async stop() {
      controller.abort()
      await Promise.all(parts)
    },
  }
}

async function comeAgain<Place>({ visit, after, every }: Stranger<Place>, place: Place, stop: AbortSignal) {
  await pause(after, stop)
  for (let round = 1; !stop.aborted; round++) {
    await visit(place, stop, round)
    await pause(every, stop)
  }
}

/** Waits, or returns at once if `stop` is aborted. */
export async function pause(milliseconds: number, stop: AbortSignal): Promise<void> {
  await delay(milliseconds, undefined, { signal: stop }).catch(() => {})
}

/** The name of the resident with this index. */
export function nameOf(index: number): string {
  const name = NAMES[index % NAMES.length] as string
  return index < NAMES.length ? name : `${name}-${Math.floor(index / NAMES.length) + 1}`
}

const SMALL_TALK = [
  'hello',
  'has anybody seen the minutes?',
  'coffee is ready',
  'brb',
  'it works on my machine',
  'ship it',
]

/** The text for a turn. */
export function smallTalk(turn: number): string {
  return SMALL_TALK[turn % SMALL_TALK.length] as string
}
