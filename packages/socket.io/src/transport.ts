import {
  type CloseFacts,
  type Connection,
  copySignature,
  type Handshake,
  hiddenProperty,
  type OutgoingMessage,
  type Telemetry,
  TransportPings,
  tracedConnection,
  unwrapMethods,
} from '@otel-ws/core/adapter'
import type { Client, EngineSocket } from './host.ts'

const TRANSPORT = Symbol.for('otel-ws.socket.io.transport')

/** A message that waits in Engine.IO's buffer: its transmission, or its connection when it is only counted. */
type Waiting = OutgoingMessage | Connection

/** What is known of one connection of Engine.IO, which carries the sockets of any number of namespaces. */
export class Transport {
  readonly pings: TransportPings
  /** Ids of the handshake, when that was told. */
  readonly handshake: Handshake['spanContext']
  /** What Socket.IO keeps of the connection, once a namespace was asked for. */
  client: Client | undefined
  /** Why this side ends the connection for what the client sent. */
  ending: CloseFacts | undefined
  /** Namespace handshakes without an outcome. `undefined` is one that option `ignore` leaves alone. */
  #joining: Map<object, Handshake | undefined> | undefined
  /** One is the rule: a list is made for those after it. */
  #waiting: Waiting | undefined
  #othersWaiting: Waiting[] | undefined

  constructor(pings: TransportPings, handshake: Handshake['spanContext']) {
    this.pings = pings
    this.handshake = handshake
  }

  isJoining(socket: object): boolean {
    return this.#joining?.has(socket) === true
  }

  /** The handshake of a socket that is joining its namespace. */
  joiningBy(socket: object): Handshake | undefined {
    return this.#joining?.get(socket)
  }

  join(socket: object, handshake: Handshake | undefined): void {
    this.#joining ??= new Map()
    this.#joining.set(socket, handshake)
  }

  /** The handshake has its outcome. Most clients join once: nothing is kept then. */
  joined(socket: object): void {
    if (this.#joining?.delete(socket) && this.#joining.size === 0) this.#joining = undefined
  }

  /** Socket.IO has handed a message over: it may be with the kernel by now, or wait for those before it. */
  written(conn: EngineSocket, connection: Connection, message: OutgoingMessage | undefined): void {
    if (conn.writeBuffer.length === 0) {
      if (message !== undefined) handedToTransport(conn, message)
    } else if (this.#waiting === undefined) this.#waiting = message ?? connection
    else {
      this.#othersWaiting ??= []
      this.#othersWaiting.push(message ?? connection)
    }
  }

  /** Engine.IO has given all that it had to the transport. */
  drained(conn: EngineSocket): void {
    const first = this.#waiting
    if (first === undefined) return
    const others = this.#othersWaiting
    this.#waiting = undefined
    this.#othersWaiting = undefined
    if (isTransmission(first)) handedToTransport(conn, first)
    if (others !== undefined) for (const one of others) if (isTransmission(one)) handedToTransport(conn, one)
  }

  upgraded(transport: string): void {
    if (this.client === undefined) return
    for (const socket of this.client.nsps.values()) tracedConnection(socket)?.transportChanged(transport)
  }

  closed(reason: unknown): void {
    if (reason === 'ping timeout') this.pings.missed()
    if (this.#waiting !== undefined) {
      failWaiting(this.#waiting)
      this.#othersWaiting?.forEach(failWaiting)
    }
    this.#waiting = undefined
    this.#othersWaiting = undefined
    const by = reason === 'transport close' || reason === 'transport error' ? 'remote' : 'local'
    for (const handshake of this.#joining?.values() ?? []) handshake?.abandon(by)
    this.#joining = undefined
  }
}

function isTransmission(waiting: Waiting): waiting is OutgoingMessage {
  return 'flushed' in waiting
}

function failWaiting(waiting: Waiting): void {
  const error = new LostError()
  if (isTransmission(waiting)) {
    waiting.connection.series.onTransmitted(error)
    waiting.flushed(error)
  } else waiting.series.onTransmitted(error)
}

/** Why a message that waited was not sent: the type is the `error.type` of its span. */
class LostError extends Error {
  readonly code = 'disconnected'

  constructor() {
    super('the connection closed before the message was sent')
    this.name = 'LostError'
  }
}

/** Engine.IO has given a message to its transport: a `ws` socket keeps what the kernel does not take at once. */
function handedToTransport({ transport, readyState }: EngineSocket, message: OutgoingMessage): void {
  const { socket } = transport
  if (socket === undefined || readyState === 'closed') message.flushed()
  else message.connection.endWhenFlushed(message, socket)
}

type Traced = EngineSocket & { [TRANSPORT]?: Transport }

/** The record of a connection of Engine.IO, when it is traced. */
export function transportOf(conn: EngineSocket): Transport | undefined {
  return (conn as Traced)[TRANSPORT]
}

/** Traces a connection of Engine.IO, once: its pings, changes of its transport, and its end. */
export function traceTransport(
  conn: EngineSocket,
  telemetry: Telemetry,
  audience: { route: string; namespace?: string },
  handshake?: Handshake,
): Transport {
  const known = transportOf(conn)
  if (known !== undefined) return known
  const transport = new Transport(new TransportPings(telemetry, audience), handshake?.spanContext)
  Object.defineProperty(conn, TRANSPORT, hiddenProperty(transport))
  Object.defineProperty(conn, 'emit', hiddenProperty(watchedEmit(conn.emit as Emit)))
  return transport
}

/** Gives a connection of Engine.IO its own methods back. */
export function untraceTransport(conn: EngineSocket): void {
  unwrapMethods(conn, ['emit'])
  delete (conn as Traced)[TRANSPORT]
}

let receiving: EngineSocket | undefined

/** The connection that Socket.IO is reading from right now, in this synchronous run. */
export function receivingTransport(): EngineSocket | undefined {
  return receiving
}

type Emit = (this: EngineSocket, type: string, ...args: unknown[]) => boolean
const watched = new WeakMap<Emit, Emit>()

/** An `emit` that tells the record of the connection what happens to it; one for all connections with the same own. */
function watchedEmit(own: Emit): Emit {
  const known = watched.get(own)
  if (known !== undefined) return known

  function emit(this: Traced, type: string, a?: unknown): boolean {
    const transport = this[TRANSPORT]
    const args = arguments as unknown as Parameters<Emit>
    switch (type) {
      case 'data': {
        const outer = receiving
        receiving = this
        try {
          return own.apply(this, args)
        } finally {
          receiving = outer
        }
      }
      case 'packetCreate':
        if ((a as { type?: string }).type === 'ping') transport?.pings.sent()
        break
      case 'heartbeat':
        transport?.pings.answered()
        break
      case 'drain':
        transport?.drained(this)
        break
      case 'upgrade':
        transport?.upgraded((a as { name: string }).name)
        break
      case 'close':
        transport?.closed(a)
    }
    return own.apply(this, args)
  }

  const watching = copySignature(emit as never, own as never) as Emit
  watched.set(own, watching)
  return watching
}
