import type { Broadcast } from '@otel-ws/core/adapter'
import type { Emission } from './emission.ts'
import type { BroadcastOptions } from './host.ts'

/**
 * The call on this node that a fan-out belongs to: a broadcast, an event to one socket that the host sends through the
 * adapter, or `null` for a broadcast that is not traced. `undefined` means that another node published the packet.
 */
export type FanoutOrigin = Broadcast | Emission | null

/** Stored on the options of a broadcast: adapters publish single members of the options, never a symbol. */
const ORIGIN = Symbol('otel-ws.origin')

type OptionsWithOrigin = BroadcastOptions & { [ORIGIN]?: FanoutOrigin }

/** Returns a copy of the options for a fan-out that starts on this node. */
export function withOrigin(options: BroadcastOptions, origin: FanoutOrigin): BroadcastOptions {
  const copy: OptionsWithOrigin = { ...options, [ORIGIN]: origin }
  return copy
}

/** Removes the origin from the options and returns it. Adapters that recover sessions keep the options. */
export function takeOrigin(options: BroadcastOptions): FanoutOrigin | undefined {
  const host = options as OptionsWithOrigin
  const origin = host[ORIGIN]
  if (origin !== undefined) delete host[ORIGIN]
  return origin
}
