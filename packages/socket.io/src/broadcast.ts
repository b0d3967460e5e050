import { type Audience, type Broadcast, isFollowable, type Telemetry, whenSettled } from '@otel-ws/core/adapter'
import { withArgument, wrapMethod } from '@otel-ws/core/node'
import { Acknowledgements } from './acknowledgements.ts'
import { applicationRooms, carrierRoom } from './carrier-room.ts'
import { type Emission, emissionTo } from './emission.ts'
import { eventName } from './event-name.ts'
import { withOrigin } from './fanout-origin.ts'
import type { Adapter, BroadcastOptions, Namespace, Packet } from './host.ts'
import { traceLocalFanouts } from './local-fanout.ts'
import { tracePublish } from './publish.ts'
import { traceServerSideEmit } from './server-side-emit.ts'
import { currentWriteObserver } from './write-observer.ts'

type AckArguments = Parameters<NonNullable<Adapter['broadcastWithAck']>>
type Callback = (...args: unknown[]) => unknown

/** What the wrapped methods of one adapter share. */
interface AdapterTracing {
  readonly telemetry: Telemetry
  readonly audience: Audience
  /** False for adapters of a single node, which never publish. */
  readonly publishes: boolean
  /** Broadcasts by the packet that the adapter publishes for them. */
  readonly published: WeakMap<object, Broadcast>
}

/**
 * Traces the broadcasts of a namespace: a broadcast span on the node that sends, a delivery span on every other node.
 *
 * @returns a function that restores the original methods of adapter and namespace
 */
export function traceBroadcasts(
  adapter: Adapter,
  namespace: Namespace,
  telemetry: Telemetry,
  audience: Audience,
): () => void {
  const tracing = { telemetry, audience, publishes: !isInMemory(adapter), published: new WeakMap<object, Broadcast>() }
  const restore = [
    traceBroadcast(adapter, tracing),
    traceBroadcastWithAck(adapter, tracing),
    countRoomChanges(adapter, telemetry, audience),
    traceLocalFanouts(adapter, namespace.name, telemetry, audience),
  ]
  if (tracing.publishes) {
    restore.push(
      traceServerSideEmit(namespace, adapter, telemetry, audience, tracing.published),
      tracePublish(adapter, tracing.published),
    )
  }
  return () => {
    for (const step of restore) step()
  }
}

/** Counts the sockets that join and leave rooms, which each adapter emits. */
function countRoomChanges(adapter: Adapter, telemetry: Telemetry, audience: Audience): () => void {
  const { emit } = adapter
  if (emit === undefined) return () => {}
  return wrapMethod(adapter, 'emit', function (this: Adapter, type: string, room?: unknown, id?: unknown): boolean {
    if ((type === 'join-room' || type === 'leave-room') && room !== id) {
      telemetry.roomChanged(audience, type === 'join-room' ? 'join' : 'leave')
    }
    return emit.apply(this, arguments as unknown as Parameters<typeof emit>)
  })
}

function traceBroadcast(adapter: Adapter, tracing: AdapterTracing): () => void {
  const { broadcast: original } = adapter

  function publish(broadcast: Broadcast, self: Adapter, args: IArguments): unknown {
    const result = original.apply(self, withArgument(args, 1, broadcastOptions(broadcast, args[1], tracing)))
    broadcast.follow(result, original)
    awaitFanout(broadcast, result)
    return result
  }

  function publishEmission(self: Adapter, args: IArguments, emission: Emission): unknown {
    const result = original.apply(self, withArgument(args, 1, withOrigin(args[1], emission)))
    // Adapters that publish return a promise and write to the socket when they have published.
    if (isFollowable(result)) emission.isPublished = true
    return result
  }

  return wrapMethod(adapter, 'broadcast', function (this: Adapter, packet: Packet, options: BroadcastOptions): unknown {
    const emission = emissionTo(currentWriteObserver(), options.rooms)
    if (emission !== undefined) return publishEmission(this, arguments, emission)
    const broadcast = startBroadcast(packet, options, tracing)
    if (broadcast === undefined) return original.apply(this, withArgument(arguments, 1, withOrigin(options, null)))
    return broadcast.run(publish, this, arguments, undefined)
  })
}

function traceBroadcastWithAck(adapter: Adapter, tracing: AdapterTracing): () => void {
  const { broadcastWithAck, serverCount } = adapter
  if (typeof broadcastWithAck !== 'function') return () => {}
  const original: NonNullable<typeof broadcastWithAck> = broadcastWithAck
  /** Socket.IO calls `serverCount` in the same synchronous run as `broadcastWithAck`, right after it. */
  let acknowledgementsOfCurrentRun: Acknowledgements | undefined

  function publish(broadcast: Broadcast, self: Adapter, options: BroadcastOptions, args: AckArguments): unknown {
    const acknowledgements = new Acknowledgements(broadcast, options.flags?.timeout)
    acknowledgementsOfCurrentRun = acknowledgements
    const [packet, , onClients, onAck, ...more] = args
    try {
      return original.apply(self, [
        packet,
        broadcastOptions(broadcast, options, tracing),
        acknowledgements.wrapClientCount(onClients as Callback),
        acknowledgements.wrapAck(onAck),
        ...(more as []),
      ])
    } catch (error) {
      acknowledgements.cancel()
      throw error
    }
  }

  function tracedBroadcastWithAck(this: Adapter, ...args: AckArguments): unknown {
    const [packet, options] = args
    const broadcast = startBroadcast(packet, options, tracing)
    if (broadcast === undefined) return original.apply(this, withArgument(args, 1, withOrigin(options, null)))
    return broadcast.run(publish, this, options, args)
  }

  function tracedServerCount(this: Adapter): unknown {
    const servers = (serverCount as NonNullable<typeof serverCount>).apply(this, arguments as never)
    acknowledgementsOfCurrentRun?.expectServers(servers)
    acknowledgementsOfCurrentRun = undefined
    return servers
  }

  const restore = [wrapMethod(adapter, 'broadcastWithAck', tracedBroadcastWithAck)]
  if (typeof serverCount === 'function') restore.push(wrapMethod(adapter, 'serverCount', tracedServerCount))
  return () => {
    for (const step of restore) step()
  }
}

function startBroadcast(
  packet: Packet,
  options: BroadcastOptions,
  { telemetry, audience, publishes, published }: AdapterTracing,
) {
  const broadcast = telemetry.startBroadcast(audience, eventName(packet))
  broadcast?.addressed(applicationRooms(options.rooms), applicationRooms(options.except))
  if (broadcast !== undefined && publishes) published.set(packet, broadcast)
  return broadcast
}

/** Returns the options for a traced broadcast. Published ones have the carrier among the excluded rooms. */
function broadcastOptions(
  broadcast: Broadcast,
  options: BroadcastOptions,
  { publishes }: AdapterTracing,
): BroadcastOptions {
  if (!publishes || options.flags?.local === true) return withOrigin(options, broadcast)
  const except = new Set([carrierRoom(broadcast.carrier()), ...(options.except ?? [])])
  return withOrigin({ ...options, except }, broadcast)
}

/** Keeps the broadcast open until its fan-out, which adapters do when they have published, or a little later. */
function awaitFanout(broadcast: Broadcast, result: unknown): void {
  broadcast.awaitFanout()
  const giveUp = (): void => {
    setImmediate(() => broadcast.fanoutAbandoned())
  }
  if (!whenSettled(result, giveUp, giveUp)) giveUp()
}

/** Returns true for the two adapters of Socket.IO itself: the base class, and its subclass that recovers sessions. */
function isInMemory(adapter: object): boolean {
  const prototype = Object.getPrototypeOf(adapter) as object
  if (Object.hasOwn(prototype, 'apply')) return true
  return 'sessions' in adapter && Object.hasOwn(Object.getPrototypeOf(prototype) as object, 'apply')
}
