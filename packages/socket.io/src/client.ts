import { type CloseFacts, disguise, hidden, uncover } from '@otel-ws/core/adapter'
import { writtenFor } from './carriers.ts'
import type { Client, Decoder, Packet, WriteOptions } from './host.ts'
import { outgoing } from './outgoing.ts'
import { chunkSize } from './payload.ts'
import { transportOf } from './transport.ts'

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

type TracedDecoder = Decoder & { [INCOMING]?: Incoming }

/** Traces what a client sends and is sent, once for all of its namespaces. */
export function traceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  if (decoder[INCOMING] !== undefined) return
  const { add } = decoder
  const { close, writeToEngine } = client

  function countedAdd(this: TracedDecoder, chunk: unknown): void {
    const incoming = this[INCOMING]
    if (incoming !== undefined) {
      incoming.size += chunkSize(chunk)
      if (typeof chunk === 'string') incoming.text = true
      else incoming.binary = true
    }
    try {
      add.call(this, chunk)
    } catch (error) {
      end({ failed: INVALID_PAYLOAD })
      throw error
    }
  }

  // The client sent something that is out of place, or has left no socket behind.
  function tracedClose(this: Client): void {
    end({ sent: POLICY_VIOLATION })
    close.call(this)
  }

  function end(facts: CloseFacts): void {
    const transport = transportOf(client.conn)
    if (transport !== undefined) transport.ending ??= facts
  }

  Object.defineProperty(decoder, INCOMING, hidden({ size: 0, binary: false, text: false }))
  Object.defineProperty(decoder, 'add', hidden(disguise(countedAdd, add)))
  decoder.on('decoded', attach)
  Object.defineProperty(client, 'close', hidden(disguise(tracedClose, close)))
  Object.defineProperty(client, 'writeToEngine', hidden(watchedWrite(writeToEngine)))
}

/** Gives a client its own methods back. */
export function untraceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  uncover(decoder, ['add'])
  decoder.off('decoded', attach)
  delete decoder[INCOMING]
  uncover(client, ['close', 'writeToEngine'])
}

/** Close codes of RFC 6455: data that is not what its type says, and what is against the rules of the server. */
const INVALID_PAYLOAD = 1007
const POLICY_VIOLATION = 1008

/** The packet is whole: what was counted for it goes with it. */
function attach(this: unknown, packet: Packet): void {
  const decoder = this as TracedDecoder
  ;(packet as { [INCOMING]?: Incoming })[INCOMING] = decoder[INCOMING] as Incoming
  decoder[INCOMING] = { size: 0, binary: false, text: false }
}

type Write = Client['writeToEngine']
const watched = new WeakMap<Write, Write>()

function watchedWrite(own: Write): Write {
  const known = watched.get(own)
  if (known !== undefined) return known

  function writeToEngine(this: Client, encoded: unknown, options: WriteOptions): void {
    const current = outgoing()
    const written = writtenFor(this, encoded, options)
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

  const write = disguise(writeToEngine, own)
  watched.set(own, write)
  return write
}
