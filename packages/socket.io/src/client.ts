import { type CloseFacts, copySignature, hiddenProperty, unwrapMethods } from '@otel-ws/core/adapter'
import { encodedFor } from './carriers.ts'
import type { Client, Decoder, EngineSocket, Packet, WriteOptions } from './host.ts'
import { outgoing } from './outgoing.ts'
import { chunkSize } from './payload.ts'
import { receivingTransport, transportOf } from './transport.ts'

const INCOMING = Symbol('otel-ws.incoming')

/** What a packet was on the wire. */
export interface Incoming {
  size: number
  binary: boolean
  /** The packet itself, whatever its attachments are, was text. */
  text: boolean
}

const NOTHING: Incoming = { size: 0, binary: false, text: false }

/** What a packet was on the wire, before it was decoded. */
export function incomingOf(packet: Packet): Incoming {
  return (packet as { [INCOMING]?: Incoming })[INCOMING] ?? NOTHING
}

/** `null` between two packets: a client keeps nothing for what it does not send. */
type TracedDecoder = Decoder & { [INCOMING]?: Incoming | null }

/** Traces what a client sends and is sent, once for all of its namespaces. */
export function traceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  if (decoder[INCOMING] !== undefined) return
  Object.defineProperty(decoder, INCOMING, hiddenProperty(null))
  Object.defineProperty(decoder, 'add', hiddenProperty(countedAdd(decoder.add)))
  decoder.on('decoded', attach)
  Object.defineProperty(client, 'close', hiddenProperty(watchedClose(client.close)))
  Object.defineProperty(client, 'writeToEngine', hiddenProperty(watchedWrite(client.writeToEngine)))
}

/** Gives a client its own methods back. */
export function untraceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  unwrapMethods(decoder, ['add'])
  decoder.off('decoded', attach)
  delete decoder[INCOMING]
  unwrapMethods(client, ['close', 'writeToEngine'])
}

/** Close codes of RFC 6455: data that is not what its type says, and what is against the rules of the server. */
const INVALID_PAYLOAD: CloseFacts = { failed: 1007 }
const POLICY_VIOLATION: CloseFacts = { sent: 1008 }

/** Why this side is about to end a connection. The first reason is the one that counts. */
function ending(conn: EngineSocket | undefined, facts: CloseFacts): void {
  const transport = conn && transportOf(conn)
  if (transport !== undefined) transport.ending ??= facts
}

type Add = Decoder['add']
const counted = new WeakMap<Add, Add>()

/** An `add` that counts what the next packet is made of; one for all decoders with the same own. */
function countedAdd(own: Add): Add {
  const known = counted.get(own)
  if (known !== undefined) return known

  function add(this: TracedDecoder, chunk: unknown): void {
    count(this, chunk)
    try {
      own.call(this, chunk)
    } catch (error) {
      ending(receivingTransport(), INVALID_PAYLOAD)
      throw error
    }
  }

  const counting = copySignature(add, own)
  counted.set(own, counting)
  return counting
}

function count(decoder: TracedDecoder, chunk: unknown): void {
  const before = decoder[INCOMING]
  // Not traced any more.
  if (before === undefined) return
  const text = typeof chunk === 'string'
  const size = chunkSize(chunk)
  if (before === null) decoder[INCOMING] = { size, binary: !text, text }
  else {
    before.size += size
    if (text) before.text = true
    else before.binary = true
  }
}

/** The packet is whole: what was counted for it goes with it. */
function attach(this: unknown, packet: Packet): void {
  const decoder = this as TracedDecoder
  const incoming = decoder[INCOMING]
  if (incoming == null) return
  ;(packet as { [INCOMING]?: Incoming })[INCOMING] = incoming
  decoder[INCOMING] = null
}

type CloseClient = Client['close']
const closing = new WeakMap<CloseClient, CloseClient>()

/** A `close` that tells why: the client sent something that is out of place, or has left no socket behind. */
function watchedClose(own: CloseClient): CloseClient {
  const known = closing.get(own)
  if (known !== undefined) return known

  function close(this: Client): void {
    ending(this.conn, POLICY_VIOLATION)
    own.call(this)
  }

  const watching = copySignature(close, own)
  closing.set(own, watching)
  return watching
}

type Write = Client['writeToEngine']
const watched = new WeakMap<Write, Write>()

function watchedWrite(own: Write): Write {
  const known = watched.get(own)
  if (known !== undefined) return known

  function writeToEngine(this: Client, encoded: unknown, options: WriteOptions): void {
    const current = outgoing()
    const written = encodedFor(this, encoded, options)
    if (current === undefined) {
      own.call(this, written?.encoded ?? encoded, written?.options ?? options)
      return
    }
    const { readyState, transport } = this.conn
    const isDropped = options.volatile === true && !transport.writable
    own.call(this, written?.encoded ?? encoded, written?.options ?? options)
    if (readyState !== 'open') current.skipped(this)
    else if (isDropped) current.dropped(this)
    else current.written(this, encoded)
  }

  const write = copySignature(writeToEngine, own)
  watched.set(own, write)
  return write
}
