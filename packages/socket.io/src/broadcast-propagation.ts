import { injectIntoPacket, type PropagationTerms, tracedConnection } from '@otel-ws/core/adapter'
import { hiddenProperty } from '@otel-ws/core/node'
import type { Adapter, Client, Packet, WriteOptions } from './host.ts'
import { EVENT } from './packet-types.ts'
import { carrierOfCurrentPacket } from './write-observer.ts'

type Encode = NonNullable<Adapter['_encode']>

/** An encoded packet that is written to one client in place of the one encoded for all recipients. */
export interface EncodedForClient {
  readonly encoded: unknown
  readonly options: WriteOptions
}

/** A packet that was encoded once for all recipients, and its encodings with a carrier. */
class BroadcastPacket {
  readonly packet: Packet
  readonly #adapter: Adapter
  readonly #encode: Encode
  readonly #encodings = new Map<PropagationTerms, EncodedForClient | undefined>()

  constructor(adapter: Adapter, encode: Encode, packet: Packet) {
    this.#adapter = adapter
    this.#encode = encode
    this.packet = packet
  }

  /** Encodes the packet with a carrier, once for all clients with the same terms. */
  withCarrier(terms: PropagationTerms, writeOptions: WriteOptions): EncodedForClient | undefined {
    if (this.#encodings.has(terms)) return this.#encodings.get(terms)
    const data = injectIntoPacket(terms, this.packet.data ?? [], carrierOfCurrentPacket(terms, true))
    let encoding: EncodedForClient | undefined
    if (data !== undefined) {
      const { wsPreEncodedFrame: _, ...options } = writeOptions
      encoding = { encoded: this.#encode.call(this.#adapter, { ...this.packet, data }, options), options }
    }
    this.#encodings.set(terms, encoding)
    return encoding
  }
}

const PROPAGATES = Symbol('otel-ws.propagates')

/** False until the first client of this process has negotiated propagation; no broadcast is kept before. */
let hasPropagatingClient = false

/** By what the adapter's `_encode` returned. */
const broadcastPackets = new WeakMap<object, BroadcastPacket>()

/** Lets the broadcasts to a client carry context. */
export function enableBroadcastPropagation(client: Client): void {
  hasPropagatingClient = true
  if (!propagates(client)) Object.defineProperty(client, PROPAGATES, hiddenProperty(true))
}

function propagates(client: Client): boolean {
  return (client as { [PROPAGATES]?: true })[PROPAGATES] === true
}

/** Keeps a packet that an adapter encoded for all recipients, for those with which propagation was negotiated. */
export function rememberBroadcast(adapter: Adapter, encode: Encode, packet: Packet, encoded: unknown): void {
  if (!hasPropagatingClient || packet.type !== EVENT || typeof encoded !== 'object' || encoded === null) return
  broadcastPackets.set(encoded, new BroadcastPacket(adapter, encode, packet))
}

/** Returns what to write to a client instead of a packet encoded for all; `undefined` if that is written unchanged. */
export function encodedForClient(
  client: Client,
  encoded: unknown,
  options: WriteOptions,
): EncodedForClient | undefined {
  if (!propagates(client) || typeof encoded !== 'object' || encoded === null) return undefined
  const broadcast = broadcastPackets.get(encoded)
  const socket = broadcast && client.nsps.get(broadcast.packet.nsp as string)
  const terms = socket && tracedConnection(socket)?.terms
  return terms && broadcast?.withCarrier(terms, options)
}
