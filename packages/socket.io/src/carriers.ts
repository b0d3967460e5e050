import {
  type Carrier,
  type Connection,
  copySignature,
  currentCarrier,
  extractFromPacket,
  hiddenProperty,
  injectIntoPacket,
  type PropagationTerms,
  tracedConnection,
} from '@otel-ws/core/adapter'
import type { Adapter, Client, Packet, Socket, WriteOptions } from './host.ts'
import { outgoing } from './outgoing.ts'

/** Types of packets of the Socket.IO protocol, as they are before they are encoded. */
const CONNECT = 0
const EVENT = 2
const ACK = 3

const AGREED = Symbol('otel-ws.agreed')

/** False until the first client of this process has agreed: broadcasts need not be remembered before. */
let anyAgreed = false

/** A socket's packets carry context: puts our methods in front of those that send them and take acknowledgements. */
export function enablePropagation(socket: Socket, hello: string | undefined): void {
  if (hello !== undefined) hellos.set(socket, JSON.parse(hello))
  anyAgreed = true
  if (!hasAgreed(socket.client)) Object.defineProperty(socket.client, AGREED, hiddenProperty(true))
  Object.defineProperty(socket, 'packet', hiddenProperty(carryingPacket(socket.packet)))
  Object.defineProperty(socket, 'onack', hiddenProperty(takingAck(socket.onack)))
}

/** What the packet that tells a client that it has joined says besides. */
const hellos = new WeakMap<Socket, object>()

function hasAgreed(client: Client): boolean {
  return (client as { [AGREED]?: true })[AGREED] === true
}

type Send = Socket['packet']
const carryingPackets = new WeakMap<Send, Send>()

function carryingPacket(own: Send): Send {
  const known = carryingPackets.get(own)
  if (known !== undefined) return known
  function packet(this: Socket, packet: Packet, options?: WriteOptions): void {
    own.call(this, carrying(this, packet), options)
  }
  carryingPackets.set(own, copySignature(packet, own))
  return packet
}

/** A packet with what it carries. That of the application is not changed: there is a new one. */
function carrying(socket: Socket, packet: Packet): Packet {
  const agreement = tracedConnection(socket)?.terms
  if (agreement === undefined) return packet
  if (packet.type === CONNECT) {
    const hello = hellos.get(socket)
    hellos.delete(socket)
    return hello === undefined ? packet : { ...packet, data: { ...packet.data, ...hello } as never }
  }
  if (packet.type !== EVENT && packet.type !== ACK) return packet
  const data = injectIntoPacket(agreement, packet.data ?? [], carrierNow(agreement))
  if (data === undefined) return packet
  outgoing()?.carried?.(textLength(data))
  return { ...packet, data }
}

type Take = Socket['onack']
const takingAcks = new WeakMap<Take, Take>()

function takingAck(own: Take): Take {
  const known = takingAcks.get(own)
  if (known !== undefined) return known
  function onack(this: Socket, packet: Packet): void {
    const agreement = tracedConnection(this)?.terms
    // The callback runs in the context of the call that sent the event: what the answer carries is not needed.
    if (agreement !== undefined && Array.isArray(packet.data)) extractFromPacket(agreement, packet.data)
    own.call(this, packet)
  }
  takingAcks.set(own, copySignature(onack, own))
  return onack
}

/** Takes the carrier out of an event that came in, for the record, and returns how many of the packet's bytes it was. */
export function extractFromEvent(connection: Connection, packet: Packet, isText: boolean): number {
  const { terms } = connection
  const { data } = packet
  if (terms === undefined || !Array.isArray(data)) return 0
  const whole = [...data]
  const inBand = extractFromPacket(terms, data)
  connection.setIncomingContext(inBand)
  return isText && inBand !== undefined && inBand.problem !== 'malformed' ? textLength(whole) : 0
}

function carrierNow(agreement: PropagationTerms): Carrier | undefined {
  return outgoing()?.carrier?.(agreement) ?? currentCarrier(agreement)
}

/** Bytes that the last element takes in a list that is JSON text. */
function textLength(data: readonly unknown[]): number {
  return JSON.stringify(data.at(-1)).length + (data.length > 1 ? 1 : 0)
}

/** What a client is written instead of a packet that was encoded for all recipients. */
export interface Written {
  readonly encoded: unknown
  readonly options: WriteOptions
}

type Encode = NonNullable<Adapter['_encode']>

/** A packet that was encoded for all of its recipients at once, and its forms for those that have agreed. */
class Encoded {
  readonly adapter: Adapter
  readonly encode: Encode
  readonly packet: Packet
  readonly #forms = new Map<PropagationTerms, Written | undefined>()

  constructor(adapter: Adapter, encode: Encode, packet: Packet) {
    this.adapter = adapter
    this.encode = encode
    this.packet = packet
  }

  for(agreement: PropagationTerms, given: WriteOptions): Written | undefined {
    if (this.#forms.has(agreement)) return this.#forms.get(agreement)
    const data = injectIntoPacket(agreement, this.packet.data ?? [], carrierNow(agreement))
    let form: Written | undefined
    if (data !== undefined) {
      const { wsPreEncodedFrame: _, ...options } = given
      form = { encoded: this.encode.call(this.adapter, { ...this.packet, data }, options), options }
    }
    this.#forms.set(agreement, form)
    return form
  }
}

const broadcasts = new WeakMap<object, Encoded>()

/** What goes to a client in the place of what was encoded for all; `undefined` when it is that. */
export function encodedFor(client: Client, encoded: unknown, options: WriteOptions): Written | undefined {
  if (!hasAgreed(client) || typeof encoded !== 'object' || encoded === null) return undefined
  const broadcast = broadcasts.get(encoded)
  const socket = broadcast && client.nsps.get(broadcast.packet.nsp as string)
  const agreement = socket && tracedConnection(socket)?.terms
  return agreement && broadcast?.for(agreement, options)
}

/** Remembers what a namespace's adapter has encoded for all recipients, for when it is written to one that has agreed. */
export function rememberEncoded(adapter: Adapter, encode: Encode, packet: Packet, encoded: unknown): void {
  if (!anyAgreed || packet.type !== EVENT || typeof encoded !== 'object' || encoded === null) return
  broadcasts.set(encoded, new Encoded(adapter, encode, packet))
}
