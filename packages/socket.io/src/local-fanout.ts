import type { Audience, Telemetry } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import { rememberBroadcast } from './broadcast-propagation.ts'
import { applicationRooms, findCarrier } from './carrier-room.ts'
import { Emission } from './emission.ts'
import { eventName } from './event-name.ts'
import { takeOrigin } from './fanout-origin.ts'
import type { Adapter, BroadcastOptions, Packet } from './host.ts'
import { encodedSize, isBinary } from './packet-size.ts'
import { type EncodedPacket, Recipients } from './recipients.ts'
import { swapCurrentWriteObserver, type WriteObserver } from './write-observer.ts'

type Encode = NonNullable<Adapter['_encode']>
type Apply = NonNullable<Adapter['apply']>

/**
 * Traces the fan-outs of an adapter to the sockets of this node. All adapters inherit from the adapter of Socket.IO, which
 * calls `_encode` and then `apply` in one synchronous run for each packet that it writes to several sockets.
 *
 * @returns a function that restores the original methods of the adapter
 */
export function traceLocalFanouts(
  adapter: Adapter,
  namespace: string,
  telemetry: Telemetry,
  audience: Audience,
): () => void {
  const { _encode: encode, apply } = adapter
  /** Set between `_encode` and `apply`. */
  let packetOfCurrentRun: EncodedPacket | undefined

  function tracedEncode(this: Adapter, packet: Packet): unknown[] {
    const parts = (encode as Encode).apply(this, arguments as never)
    rememberBroadcast(this, encode as Encode, packet, parts)
    const { data: event } = packet
    packetOfCurrentRun = { name: eventName(packet), binary: isBinary(parts), size: encodedSize(parts), event }
    return parts
  }

  function tracedApply(this: Adapter, options: BroadcastOptions): unknown {
    const packet = packetOfCurrentRun
    packetOfCurrentRun = undefined
    const origin = takeOrigin(options)
    // Adapters also call `apply` to fetch, move or disconnect sockets: nothing was encoded then.
    if (packet === undefined) return (apply as Apply).apply(this, arguments as never)
    if (origin instanceof Emission) return applyObserved(apply as Apply, this, origin, arguments)
    // A fan-out that did not start on this node delivers a broadcast of another node.
    const delivery = origin === undefined ? startDelivery(this, packet, options) : undefined
    const recipients = new Recipients(this, namespace, packet, origin ?? delivery)
    if (delivery === undefined) return fanOut(undefined, recipients, arguments)
    return delivery.run(fanOut, recipients, arguments, undefined)
  }

  function startDelivery(self: Adapter, packet: EncodedPacket, options: BroadcastOptions) {
    const carrier = findCarrier(options.except)
    // A packet without carrier and recipients here, such as an event to one socket of another node, needs no span.
    if (carrier === undefined && !hasRecipients(self, options)) return undefined
    const delivery = telemetry.startDelivery(audience, packet.name, carrier)
    delivery?.addressed(applicationRooms(options.rooms), applicationRooms(options.except))
    return delivery
  }

  function fanOut(_: unknown, recipients: Recipients, args: IArguments): unknown {
    recipients.start()
    return applyObserved(apply as Apply, recipients.adapter, recipients, args)
  }

  const restore: (() => void)[] = []
  if (typeof encode === 'function') restore.push(wrapMethod(adapter, '_encode', tracedEncode))
  if (typeof apply === 'function') restore.push(wrapMethod(adapter, 'apply', tracedApply))
  return () => {
    for (const step of restore) step()
  }
}

/** Calls the original `apply` while `observer` observes what is written. */
function applyObserved(
  apply: Apply,
  adapter: Adapter,
  observer: WriteObserver & { onFannedOut(): void },
  args: IArguments,
): unknown {
  const outer = swapCurrentWriteObserver(observer)
  try {
    return apply.apply(adapter, args as never)
  } finally {
    swapCurrentWriteObserver(outer)
    observer.onFannedOut()
  }
}

/** Returns true if the broadcast goes to the whole namespace, or to a room that has members on this node. */
function hasRecipients(adapter: Adapter, { rooms }: BroadcastOptions): boolean {
  if (rooms === undefined || rooms.size === 0) return true
  return [...rooms].some((room) => adapter.rooms?.has(room))
}
