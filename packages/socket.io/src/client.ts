import { disguise, hidden, uncover } from '@otel-ws/core/adapter'
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

type TracedDecoder = Decoder & { [INCOMING]?: Incoming; readonly onfail?: () => void }

/** Traces what a client sends and is sent, once for all of its namespaces. */
export function traceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  if (decoder[INCOMING] !== undefined) return
  Object.defineProperty(decoder, INCOMING, hidden({ size: 0, binary: false, text: false }))
  const add = decoder.add
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
      const transport = transportOf(client.conn)
      if (transport !== undefined) transport.failed ??= INVALID_PAYLOAD
      throw error
    }
  }
  Object.defineProperty(decoder, 'add', hidden(disguise(countedAdd, add)))
  decoder.on('decoded', attach)
  Object.defineProperty(client, 'writeToEngine', hidden(watchedWrite(client.writeToEngine)))
}

/** Gives a client its own methods back. */
export function untraceClient(client: Client): void {
  const { decoder } = client as { decoder: TracedDecoder }
  uncover(decoder, ['add'])
  decoder.off('decoded', attach)
  delete decoder[INCOMING]
  uncover(client, ['writeToEngine'])
}

/** Close code of RFC 6455 for data that is not what its type says. */
const INVALID_PAYLOAD = 1007

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
    const written = writtenFor(this, encoded, options) ?? { encoded, options }
    if (current === undefined) {
      own.call(this, written.encoded, written.options)
      return
    }
    const { readyState, transport } = this.conn
    const isDropped = options.volatile === true && !transport.writable
    own.call(this, written.encoded, written.options)
    if (readyState !== 'open') current.skipped(this)
    else if (isDropped) current.dropped(this)
    else current.written(this, encoded)
  }

  const write = disguise(writeToEngine, own)
  watched.set(own, write)
  return write
}
