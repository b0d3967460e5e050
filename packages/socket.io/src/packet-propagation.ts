import {
  type Connection,
  extractFromPacket,
  type IncomingMessage,
  injectIntoPacket,
  isConfirmationEvent,
  type PropagationTerms,
  tracedConnection,
} from '@otel-ws/core/adapter'
import { hiddenProperty, withArgument } from '@otel-ws/core/node'
import { enableBroadcastPropagation } from './broadcast-propagation.ts'
import type { Packet, Socket } from './host.ts'
import { ACK, CONNECT, EVENT } from './packet-types.ts'
import { sharedWrapper } from './shared-wrapper.ts'
import { carrierOfCurrentPacket, currentWriteObserver } from './write-observer.ts'

/** The hello message of a socket that joins, until its CONNECT packet is sent. */
const helloMessages = new WeakMap<Socket, object>()

/**
 * Starts context propagation in the packets of a socket, as negotiated with its client.
 *
 * @param hello JSON text whose members are added to the CONNECT packet
 */
export function enablePropagation(socket: Socket, hello: string | undefined): void {
  if (hello !== undefined) helloMessages.set(socket, JSON.parse(hello))
  enableBroadcastPropagation(socket.client)
  Object.defineProperty(socket, 'packet', hiddenProperty(wrapPacket(socket.packet)))
  Object.defineProperty(socket, 'onack', hiddenProperty(wrapOnack(socket.onack)))
}

const wrapPacket = sharedWrapper<Socket['packet']>((original) => {
  return function (this: Socket, packet: Packet): unknown {
    const injected = injectContext(this, packet)
    return original.apply(this, injected === packet ? (arguments as never) : withArgument(arguments, 0, injected))
  }
})

/** Returns the packet with a carrier, as a new object: the application's is not changed. */
function injectContext(socket: Socket, packet: Packet): Packet {
  if (packet.type === CONNECT) {
    const hello = helloMessages.get(socket)
    helloMessages.delete(socket)
    return hello === undefined ? packet : { ...packet, data: { ...packet.data, ...hello } as never }
  }
  const terms = tracedConnection(socket)?.terms
  if (terms === undefined || (packet.type !== EVENT && packet.type !== ACK)) return packet
  const data = injectIntoPacket(terms, packet.data ?? [], carrierOfCurrentPacket(terms))
  if (data === undefined) return packet
  currentWriteObserver()?.onCarrierInjected?.(jsonLength(data.at(-1), data.length))
  return { ...packet, data }
}

const wrapOnack = sharedWrapper<Socket['onack']>((original) => {
  return function onack(this: Socket, packet: Packet): unknown {
    const terms = tracedConnection(this)?.terms
    // The callback runs in the context that was active when the event was sent, so the extracted one is not used.
    if (terms !== undefined && Array.isArray(packet.data)) extractFromPacket(terms, packet.data)
    return original.apply(this, arguments as never)
  }
})

/** True for the event with which a client confirms the hello: the application must not see it. */
export function confirms(connection: Connection, { id, data }: Packet): boolean {
  if (id != null || !Array.isArray(data) || !isConfirmationEvent(data)) return false
  connection.confirmed()
  return true
}

/** A carrier that was removed from an incoming event. */
export interface EventCarrier {
  readonly extracted: IncomingMessage['extracted']
  /** Bytes that it took in the packet. */
  readonly size: number
}

/** Removes the carrier from an incoming event; `undefined` if there is none. For connections with `terms`. */
export function extractFromEvent(terms: PropagationTerms, { data }: Packet, isText: boolean): EventCarrier | undefined {
  if (!Array.isArray(data)) return undefined
  const last: unknown = data.at(-1)
  const { length } = data
  const extracted = extractFromPacket(terms, data)
  if (extracted === undefined) return undefined
  return { extracted, size: isText && extracted.problem !== 'malformed' ? jsonLength(last, length) : 0 }
}

/** Returns the length of the last element of a JSON array, with its comma. */
function jsonLength(last: unknown, elements: number): number {
  return JSON.stringify(last).length + (elements > 1 ? 1 : 0)
}
