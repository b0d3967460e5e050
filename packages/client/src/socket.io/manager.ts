import { PROTOCOL_NAME, wrapMethod } from '@otel-ws/core/client'
import { sizeOf } from '../payload.ts'
import { CONNECT, type Manager, type Packet } from './host.ts'

/** The form of a packet on the wire. */
export interface OnWire {
  size: number
  binary: boolean
  /** The packet itself, whatever its attachments are, was text. */
  text: boolean
}

/** A traced socket, as the connection that it shares knows it. */
export interface Sharer {
  readonly nsp: string
  /** The shared connection is about to be opened; what its request carries for this socket. */
  opening(): Record<string, string>
  /** The server has accepted context in messages and sent the connection's id. */
  agreed(id: string): void
}

const TRACED = Symbol.for('otel-ws.socket.io-client.manager')

/** A socket that shares a connection. */
export class TracedManager {
  readonly sharers = new Set<Sharer>()
  /** The packet that was encoded last. */
  sent: OnWire = nothing()
  readonly #received = new WeakMap<Packet, OnWire>()

  /** The form of a packet on the wire, before it was decoded. */
  receivedAs(packet: Packet): OnWire {
    return this.#received.get(packet) ?? nothing()
  }

  constructor(manager: Manager) {
    const { open, emitReserved, encoder, decoder } = manager
    const { encode } = encoder
    const { add } = decoder
    const traced = this
    let incoming = nothing()

    wrapMethod(manager, 'open', function (this: Manager, ...args: unknown[]): unknown {
      if (!this._readyState.startsWith('open')) traced.#ask(this)
      return open.apply(this, args)
    })
    wrapMethod(manager, 'emitReserved', function (this: Manager, type: string, ...args: unknown[]): unknown {
      if (type === 'packet') traced.#read(args[0] as Packet, this)
      return emitReserved.apply(this, arguments as never)
    })
    wrapMethod(encoder, 'encode', function (this: Manager['encoder']): unknown[] {
      const encoded = encode.apply(this, arguments as never)
      traced.sent = nothing()
      for (const chunk of encoded) measure(traced.sent, chunk)
      return encoded
    })
    wrapMethod(decoder, 'add', function (this: Manager['decoder'], chunk: unknown): unknown {
      measure(incoming, chunk)
      return add.apply(this, arguments as never)
    })
    // The decoder calls its listeners directly, not through methods that could be wrapped.
    decoder.on('decoded', (packet) => {
      traced.#received.set(packet, incoming)
      incoming = nothing()
    })
  }

  /** Puts what the sockets offer into the query of the next request. The application's own options stay as they are. */
  #ask(manager: Manager): void {
    const offers = [...this.sharers].map((sharer) => sharer.opening())
    const query = offers.find((offer) => Object.keys(offer).length > 0)
    if (query !== undefined) manager.opts = { ...manager.opts, query: { ...manager.opts.query, ...query } }
  }

  /** Removes the server's acceptance from the packet that confirms that a socket has joined. */
  #read(packet: Packet, manager: Manager): void {
    const data = packet.data as { _otel?: { v?: unknown; id?: unknown } } | undefined
    if (packet.type !== CONNECT || manager.opts.query?.[PROTOCOL_NAME] === undefined) return
    const { v, id } = data?._otel ?? {}
    if (v !== 1 || typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) return
    delete data?._otel
    for (const sharer of this.sharers) if (sharer.nsp === packet.nsp) sharer.agreed(id)
  }
}

/** The tracing of a shared connection: once for all of its sockets. */
export function tracedManager(manager: Manager): TracedManager {
  const host = manager as { [TRACED]?: TracedManager }
  if (host[TRACED] === undefined) {
    Object.defineProperty(host, TRACED, { value: new TracedManager(manager), enumerable: false })
  }
  return host[TRACED] as TracedManager
}

function nothing(): OnWire {
  return { size: 0, binary: false, text: false }
}

function measure(wire: OnWire, chunk: unknown): void {
  wire.size += sizeOf(chunk)
  if (typeof chunk === 'string') wire.text = true
  else wire.binary = true
}
