import { type Audience, type FanoutSpan, type Telemetry, tracedConnection } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import { rememberBroadcast } from './broadcast-propagation.ts'
import { findCarrier } from './carrier-room.ts'
import { Emission } from './emission.ts'
import { eventName } from './event-name.ts'
import { takeOrigin } from './fanout-origin.ts'
import type { Adapter, BroadcastOptions, Client, Packet, Socket } from './host.ts'
import { encodedSize, isBinary } from './packet-size.ts'
import { transportOf } from './transport.ts'
import { swapCurrentWriteObserver, type WriteObserver } from './write-observer.ts'

type Apply = NonNullable<Adapter['apply']>
type OnSocket = (socket: Socket) => void

/** A packet that an adapter has encoded for the sockets of this node. */
interface EncodedPacket {
  readonly name: string
  readonly binary: boolean
  readonly size: number
  readonly event: unknown
}

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

  function tracedEncode(this: Adapter, packet: Packet, options: unknown): unknown[] {
    const parts = (encode as NonNullable<Adapter['_encode']>).call(this, packet, options)
    rememberBroadcast(this, encode as NonNullable<Adapter['_encode']>, packet, parts)
    packetOfCurrentRun = {
      name: eventName(packet),
      binary: isBinary(parts),
      size: encodedSize(parts),
      event: packet.data,
    }
    return parts
  }

  function tracedApply(this: Adapter, options: BroadcastOptions, onSocket: OnSocket): unknown {
    const packet = packetOfCurrentRun
    packetOfCurrentRun = undefined
    const origin = takeOrigin(options)
    // Adapters also call `apply` to fetch, move or disconnect sockets: nothing was encoded then.
    if (packet === undefined) return (apply as Apply).call(this, options, onSocket)
    if (origin instanceof Emission) return writeEmission(origin, this, options, onSocket)
    const delivery = origin === undefined ? startDelivery(this, packet, options) : undefined
    const recipients = new Recipients(this, namespace, packet, origin ?? delivery)
    if (delivery === undefined) return fanOut(undefined, recipients, options, onSocket)
    return delivery.run(fanOut, recipients, options, onSocket)
  }

  /** A fan-out without an origin on this node delivers a broadcast of another node. */
  function startDelivery(self: Adapter, packet: EncodedPacket, options: BroadcastOptions) {
    const carrier = findCarrier(options.except)
    // A packet without carrier and recipients here, such as an event to one socket of another node, needs no span.
    if (carrier === undefined && !hasRecipients(self, options)) return undefined
    return telemetry.startDelivery(audience, packet.name, carrier)
  }

  function fanOut(_: unknown, recipients: Recipients, options: BroadcastOptions, onSocket: OnSocket): unknown {
    recipients.start()
    const outer = swapCurrentWriteObserver(recipients)
    try {
      return (apply as Apply).call(recipients.adapter, options, onSocket)
    } finally {
      swapCurrentWriteObserver(outer)
      recipients.end()
    }
  }

  function writeEmission(emission: Emission, self: Adapter, options: BroadcastOptions, onSocket: OnSocket): unknown {
    const outer = swapCurrentWriteObserver(emission)
    try {
      return (apply as Apply).call(self, options, onSocket)
    } finally {
      swapCurrentWriteObserver(outer)
      emission.onFannedOut()
    }
  }

  const restore: (() => void)[] = []
  if (typeof encode === 'function') restore.push(wrapMethod(adapter, '_encode', tracedEncode))
  if (typeof apply === 'function') restore.push(wrapMethod(adapter, 'apply', tracedApply))
  return () => {
    for (const step of restore) step()
  }
}

/** Returns true if the broadcast goes to the whole namespace, or to a room that has members on this node. */
function hasRecipients(adapter: Adapter, { rooms }: BroadcastOptions): boolean {
  if (rooms === undefined || rooms.size === 0) return true
  return [...rooms].some((room) => adapter.rooms?.has(room))
}

/** Counts the recipients of one fan-out. */
class Recipients implements WriteObserver {
  readonly adapter: Adapter
  readonly #namespace: string
  readonly #packet: EncodedPacket
  readonly #span: FanoutSpan | null | undefined

  constructor(adapter: Adapter, namespace: string, packet: EncodedPacket, span: FanoutSpan | null | undefined) {
    this.adapter = adapter
    this.#namespace = namespace
    this.#packet = packet
    this.#span = span
  }

  start(): void {
    const { binary, size, event } = this.#packet
    this.#span?.encoded(binary, size, event)
  }

  end(): void {
    this.#span?.fanoutCompleted()
  }

  onWritten(client: Client): void {
    this.#span?.sent()
    const connection = this.#connectionOf(client)
    if (connection === undefined) return
    connection.countSent(this.#packet.binary, this.#packet.size)
    transportOf(client.conn)?.onWritten(client.conn, connection, undefined)
  }

  onDropped(client: Client): void {
    this.#span?.skipped()
    const connection = this.#connectionOf(client)
    if (connection !== undefined) connection.series.volatileDrops++
  }

  onSkipped(client: Client): void {
    this.#span?.skipped()
    const connection = this.#connectionOf(client)
    if (connection !== undefined) connection.series.notOpen++
  }

  #connectionOf(client: Client) {
    const socket = client.nsps.get(this.#namespace)
    return socket === undefined ? undefined : tracedConnection(socket)
  }
}
