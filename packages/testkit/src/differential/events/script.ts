import fc from 'fast-check'
import type { EventCapabilities } from '../../events/harness.ts'

/** What the handler of an event does. */
export type EventBehaviour =
  | 'return'
  | 'return later'
  | 'return nothing'
  | 'emit'
  | 'emit later'
  | 'emit twice'
  | 'broadcast'
  | 'broadcast to a room'
  | 'join'
  | 'ask'
  | 'reject'
  | 'disconnect'

/** Names of the events that have a handler in a script. */
export const NAMES = ['a', 'b', 'c'] as const

/** One step; `at` is the index of the client. */
export type EventStep = { readonly at: number } & (
  | { readonly do: 'client emits'; readonly events: readonly { readonly name: string; readonly data: unknown }[] }
  | { readonly do: 'client asks'; readonly name: string; readonly data: unknown }
  | { readonly do: 'server emits'; readonly name: string; readonly data: unknown }
  | { readonly do: 'server asks'; readonly data: unknown }
  | { readonly do: 'server broadcasts'; readonly data: unknown; readonly room: boolean; readonly except: boolean }
  | { readonly do: 'client leaves' | 'client aborts' | 'server disconnects' | 'look' }
)

/** A random application with its clients. */
export interface EventScript {
  readonly clients: number
  readonly handlers: Readonly<Record<(typeof NAMES)[number], EventBehaviour>>
  readonly greets: boolean
  readonly steps: readonly EventStep[]
}

const data = fc.oneof(
  fc.constantFrom<unknown[]>(undefined, null, 0, '', 'text', true, [], {}, { a: { b: [1, 'ä😀'] } }, 'x'.repeat(3000)),
  fc.jsonValue({ maxDepth: 2 }),
)

/** Random applications on a host with these capabilities. */
export function eventScripts({ acks, rooms, eventErrors }: EventCapabilities): fc.Arbitrary<EventScript> {
  const behaviours: EventBehaviour[] = ['return', 'return later', 'return nothing', 'emit', 'emit later', 'emit twice']
  behaviours.push('broadcast', 'disconnect')
  if (acks) behaviours.push('ask')
  if (rooms) behaviours.push('join', 'broadcast to a room')
  if (eventErrors === 'crash' || eventErrors === 'handled') behaviours.push('reject')
  const behaviour = fc.constantFrom(...behaviours)
  const name = fc.constantFrom('a', 'b', 'c', 'unknown')
  const event = fc.record({ name, data })
  const step = <D extends string, R extends object>(
    weight: number,
    what: D,
    rest: { [K in keyof R]: fc.Arbitrary<R[K]> },
  ) => ({
    weight,
    arbitrary: fc.record({ do: fc.constant(what), ...rest }) as unknown as fc.Arbitrary<{ do: D } & R>,
  })
  const actions = [
    step(8, 'client emits', { events: fc.array(event, { minLength: 1, maxLength: 4 }) }),
    step(4, 'server emits', { name, data }),
    step(1, 'client leaves', {}),
    step(1, 'client aborts', {}),
    step(1, 'server disconnects', {}),
    step(1, 'look', {}),
    ...(acks
      ? [step(4, 'client asks', { name: fc.constantFrom(...NAMES), data }), step(2, 'server asks', { data })]
      : []),
    step(3, 'server broadcasts', {
      data,
      room: rooms ? fc.boolean() : fc.constant(false),
      except: rooms ? fc.boolean() : fc.constant(false),
    }),
  ]
  return fc.record({
    clients: fc.integer({ min: 1, max: 3 }),
    handlers: fc.record({ a: behaviour, b: behaviour, c: behaviour }),
    greets: fc.boolean(),
    steps: fc.array(
      fc
        .tuple(fc.nat({ max: 2 }), fc.oneof(...(actions as { weight: number; arbitrary: fc.Arbitrary<object> }[])))
        .map(([at, action]) => ({ at, ...action }) as EventStep),
      { minLength: 1, maxLength: 8 },
    ),
  })
}
