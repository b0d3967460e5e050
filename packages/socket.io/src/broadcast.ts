import {
  type Audience,
  type Broadcast,
  type FanoutSpan,
  isNativePromise,
  type Telemetry,
  wrapMethod,
} from '@otel-ws/core/adapter'
import { Acknowledgements } from './acknowledgements.ts'
import { carrierIn, carrierRoom } from './carrier-room.ts'
import { rememberEncoded } from './carriers.ts'
import type { Adapter, BroadcastOptions, Namespace, Packet, Socket } from './host.ts'
import { type Outgoing, outgoing, swapOutgoing } from './outgoing.ts'
import { encodedSize, isBinary } from './payload.ts'
import { watchPublishing } from './publishing.ts'
import { Recipients } from './recipients.ts'
import { traceServerSideEmit } from './server-side-emit.ts'
import { type Emission, emissionTo } from './socket.ts'

type Callback = (...args: unknown[]) => unknown
type Apply = NonNullable<Adapter['apply']>

/** What has been encoded and is about to be handed out. */
interface Encoded {
  readonly name: string
  readonly binary: boolean
  readonly size: number
  readonly event: unknown
}

/** What this node has started: what is handed out here is part of it. It stands on the options, which no adapter publishes as a whole. */
const STARTED = Symbol('otel-ws.started')

interface StartedOptions extends BroadcastOptions {
  /** `null` when nobody is told. */
  [STARTED]?: Broadcast | Emission | null
}

/**
 * Traces what a namespace sends to many: a broadcast on the node that it starts from, a delivery on every other. Whatever
 * the adapter, the base class of Socket.IO's adapters calls `_encode` and then `apply` on it for each fan-out to the sockets
 * of this node: those, and the methods that a broadcast starts with, are put under ours.
 *
 * @returns a function that gives adapter and namespace their own methods back
 */
export function traceBroadcasts(
  adapter: Adapter,
  namespace: Namespace,
  telemetry: Telemetry,
  audience: Audience,
): () => void {
  const { broadcast, broadcastWithAck, serverCount, _encode, apply } = adapter
  const publishes = !isInMemory(adapter)
  const publishing = new WeakMap<object, Broadcast>()
  let encoded: Encoded | undefined
  let unanswered: Acknowledgements | undefined

  /** Starts a broadcast; `publish` is called with the options to go on with. */
  function start(
    packet: Packet,
    options: BroadcastOptions,
    publish: (options: BroadcastOptions, started: Broadcast | undefined) => unknown,
  ): unknown {
    const started = telemetry.startBroadcast(audience, eventOf(packet))
    if (started === undefined) return publish({ ...options, [STARTED]: null } as StartedOptions, undefined)
    if (publishes) publishing.set(packet, started)
    return started.run(() => publish(carrying(options, started), started), 0, 0, 0)
  }

  function carrying(options: BroadcastOptions, started: Broadcast): StartedOptions {
    if (!publishes || options.flags?.local === true) return { ...options, [STARTED]: started }
    const except = new Set([carrierRoom(started.carrier()), ...(options.except ?? [])])
    return { ...options, except, [STARTED]: started }
  }

  function emitToOne(self: Adapter, packet: Packet, options: BroadcastOptions, emission: Emission): unknown {
    const result = broadcast.call(self, packet, { ...options, [STARTED]: emission } as BroadcastOptions)
    // Adapters that publish hand out when that is done.
    if (isNativePromise(result)) emission.isPublished = true
    return result
  }

  /** Hands out what was just encoded. Rooms are also asked for when sockets are fetched, moved or disconnected. */
  function handOut(self: Adapter, options: StartedOptions, callback: (socket: Socket) => void): unknown {
    const message = encoded
    encoded = undefined
    const started = options[STARTED]
    // Adapters that remember what was sent keep the options.
    if (started !== undefined) delete options[STARTED]
    const own = apply as Apply
    if (message === undefined) return own.call(self, options, callback)
    if (started === undefined) return deliver(self, message, options, callback)
    if (started !== null && 'socket' in started) return handOutTo(started, own, self, options, callback)
    return handOutAs(started, message, self, options, callback)
  }

  /** What was not started here has come from another node. */
  function deliver(
    self: Adapter,
    message: Encoded,
    options: BroadcastOptions,
    callback: (socket: Socket) => void,
  ): unknown {
    const carrier = carrierIn(options.except)
    // What carries nothing and is for nobody here, such as an event to one socket of another node, is not told.
    const isTold = carrier !== undefined || concerns(self, options)
    const delivered = isTold ? telemetry.startDelivery(audience, message.name, carrier) : undefined
    if (delivered === undefined) return handOutAs(null, message, self, options, callback)
    return delivered.run(() => handOutAs(delivered, message, self, options, callback), 0, 0, 0)
  }

  function handOutAs(
    distribution: FanoutSpan | null,
    { binary, size, event }: Encoded,
    self: Adapter,
    options: BroadcastOptions,
    callback: (socket: Socket) => void,
  ): unknown {
    distribution?.encoded(binary, size, event)
    const outer = swapOutgoing(new Recipients(distribution, namespace.name, binary, size))
    try {
      return (apply as Apply).call(self, options, callback)
    } finally {
      swapOutgoing(outer)
      distribution?.fanoutCompleted()
    }
  }

  const methods: Record<string, Callback> = {
    broadcast(this: Adapter, packet, options) {
      const emission = emissionTo(outgoing(), (options as BroadcastOptions).rooms)
      if (emission !== undefined) return emitToOne(this, packet as Packet, options as BroadcastOptions, emission)
      return start(packet as Packet, options as BroadcastOptions, (carried, started) => {
        const result = broadcast.call(this, packet as Packet, carried)
        if (started !== undefined) followHost(started, result)
        return result
      })
    },
    broadcastWithAck(this: Adapter, packet, options, onClients, onAck) {
      const own = broadcastWithAck as NonNullable<typeof broadcastWithAck>
      return start(packet as Packet, options as BroadcastOptions, (carried, started) => {
        if (started === undefined)
          return own.call(this, packet as Packet, carried, onClients as Callback, onAck as Callback)
        const acks = new Acknowledgements(started, carried.flags?.timeout)
        unanswered = acks
        try {
          return own.call(
            this,
            packet as Packet,
            carried,
            acks.counting(onClients as Callback),
            acks.answering(onAck as Callback),
          )
        } catch (error) {
          acks.abandon()
          throw error
        }
      })
    },
    serverCount(this: Adapter) {
      const count = (serverCount as NonNullable<typeof serverCount>).call(this)
      // The host asks right after it has broadcast.
      unanswered?.expecting(count)
      unanswered = undefined
      return count
    },
    _encode(this: Adapter, packet, options) {
      const encode = _encode as NonNullable<typeof _encode>
      const parts = encode.call(this, packet as Packet, options)
      rememberEncoded(this, encode, packet as Packet, parts)
      const { data: event } = packet as Packet
      encoded = { name: eventOf(packet as Packet), binary: isBinary(parts), size: encodedSize(parts), event }
      return parts
    },
    apply(this: Adapter, options, callback) {
      return handOut(this, options as StartedOptions, callback as (socket: Socket) => void)
    },
  }

  const undo = Object.entries(methods)
    .filter(([name]) => typeof adapter[name as keyof Adapter] === 'function')
    .map(([name, method]) => wrapMethod(adapter, name, method))
  if (publishes) {
    undo.push(traceServerSideEmit(namespace, adapter, telemetry, audience, publishing))
    undo.push(watchPublishing(adapter, publishing))
  }
  return () => {
    for (const step of undo) step()
  }
}

/** Hands out what goes to one socket only, as Socket.IO does for those whose state can be recovered. */
function handOutTo(
  emission: Emission,
  apply: Apply,
  adapter: Adapter,
  options: BroadcastOptions,
  callback: (socket: Socket) => void,
): unknown {
  const outer = swapOutgoing(emission as Outgoing)
  try {
    return apply.call(adapter, options, callback)
  } finally {
    swapOutgoing(outer)
    emission.handedOut?.()
  }
}

/** Keeps a broadcast open for as long as the host is at it: adapters hand out when they have published, or a little later. */
function followHost(started: Broadcast, result: unknown): void {
  started.follow(result)
  started.awaitFanout()
  const giveUp = (): void => {
    setImmediate(() => started.fanoutAbandoned())
  }
  if (isNativePromise(result)) result.then(giveUp, giveUp)
  else giveUp()
}

/** The event of a packet. */
function eventOf({ data }: Packet): string {
  return String(data?.[0])
}

/** True for Socket.IO's own adapters, which know of no other node: the base class, and the one that remembers sessions. */
function isInMemory(adapter: object): boolean {
  const prototype = Object.getPrototypeOf(adapter) as object
  if (Object.hasOwn(prototype, 'apply')) return true
  return 'sessions' in adapter && Object.hasOwn(Object.getPrototypeOf(prototype) as object, 'apply')
}

/** True for what goes to everybody, or to a room that somebody here is in. */
function concerns(adapter: Adapter, { rooms }: BroadcastOptions): boolean {
  if (rooms === undefined || rooms.size === 0) return true
  return [...rooms].some((room) => adapter.rooms?.has(room))
}
