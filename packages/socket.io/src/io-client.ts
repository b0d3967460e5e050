import type { CloseFacts } from '@otel-ws/core/adapter'
import { hiddenProperty, unwrapMethods } from '@otel-ws/core/node'
import { encodedForClient } from './broadcast-propagation.ts'
import type { Client, Decoder, EngineSocket, Packet, WriteOptions } from './host.ts'
import { chunkSize } from './packet-size.ts'
import { sharedWrapper } from './shared-wrapper.ts'
import { engineSocketBeingRead, transportOf } from './transport.ts'
import { currentWriteObserver } from './write-observer.ts'

const WIRE_INFO = Symbol('otel-ws.wire-info')

/** Size and type of a packet on the wire. */
export interface WireInfo {
  /** Bytes of the packet and its attachments. */
  size: number
  /** The packet or one of its attachments was binary. */
  binary: boolean
  /** The packet without its attachments was text. */
  text: boolean
}

const UNKNOWN: WireInfo = { size: 0, binary: false, text: false }

/** Returns size and type of a decoded packet on the wire. */
export function wireInfoOf(packet: Packet): WireInfo {
  return (packet as { [WIRE_INFO]?: WireInfo })[WIRE_INFO] ?? UNKNOWN
}

/** `null` between two packets, absent if the decoder is not traced. */
type TracedDecoder = Decoder & { [WIRE_INFO]?: WireInfo | null }

/** Traces the packets that a client sends and receives, once for all of its namespaces. */
export function traceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  if (decoder[WIRE_INFO] !== undefined) return
  Object.defineProperty(decoder, WIRE_INFO, hiddenProperty(null))
  Object.defineProperty(decoder, 'add', hiddenProperty(wrapAdd(decoder.add)))
  decoder.on('decoded', attachWireInfo)
  Object.defineProperty(client, 'close', hiddenProperty(wrapClose(client.close)))
  Object.defineProperty(client, 'writeToEngine', hiddenProperty(wrapWrite(client.writeToEngine)))
}

/** Restores the original methods of a client. */
export function untraceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  unwrapMethods(decoder, ['add'])
  decoder.off('decoded', attachWireInfo)
  delete decoder[WIRE_INFO]
  unwrapMethods(client, ['close', 'writeToEngine'])
}

/** RFC 6455: a message whose data does not match its type. */
const INVALID_PAYLOAD: CloseFacts = { failed: 1007 }
/** RFC 6455: a message that violates the server's policy. */
const POLICY_VIOLATION: CloseFacts = { sent: 1008 }

/** Stores why this side is about to close a connection. The first cause is kept. */
function setCloseCause(conn: EngineSocket | undefined, cause: CloseFacts): void {
  const transport = conn && transportOf(conn)
  if (transport !== undefined) transport.closeCause ??= cause
}

const wrapAdd = sharedWrapper<Decoder['add']>((original) => {
  return function add(this: TracedDecoder, chunk: unknown): unknown {
    addChunk(this, chunk)
    try {
      // With these arguments Socket.IO calls it; a list of them would be an allocation for each packet.
      return original.call(this, chunk)
    } catch (error) {
      setCloseCause(engineSocketBeingRead(), INVALID_PAYLOAD)
      throw error
    }
  }
})

function addChunk(decoder: TracedDecoder, chunk: unknown): void {
  const info = decoder[WIRE_INFO]
  if (info === undefined) return
  const text = typeof chunk === 'string'
  const size = chunkSize(chunk)
  if (info === null) decoder[WIRE_INFO] = { size, binary: !text, text }
  else {
    info.size += size
    if (text) info.text = true
    else info.binary = true
  }
}

/** Listener of `decoded`: moves the information from the decoder to the packet, which is complete. */
function attachWireInfo(this: unknown, packet: Packet): void {
  const decoder = this as TracedDecoder
  const info = decoder[WIRE_INFO]
  if (info == null) return
  ;(packet as { [WIRE_INFO]?: WireInfo })[WIRE_INFO] = info
  decoder[WIRE_INFO] = null
}

/** Socket.IO calls `close` when the client sent an unexpected packet or has no socket left. */
const wrapClose = sharedWrapper<Client['close']>((original) => {
  return function close(this: Client): unknown {
    setCloseCause(this.conn, POLICY_VIOLATION)
    return original.apply(this, arguments as never)
  }
})

const wrapWrite = sharedWrapper<Client['writeToEngine']>((original) => {
  return function writeToEngine(this: Client, encoded: unknown, options: WriteOptions): unknown {
    const observer = currentWriteObserver()
    const forClient = encodedForClient(this, encoded, options)
    const { readyState, transport } = this.conn
    const isDropped = observer !== undefined && options.volatile === true && !transport.writable
    const result = original.call(this, forClient?.encoded ?? encoded, forClient?.options ?? options)
    if (observer === undefined) return result
    if (readyState !== 'open') observer.onSkipped(this)
    else if (isDropped) observer.onDropped(this)
    else observer.onWritten(this, encoded)
    return result
  }
})
