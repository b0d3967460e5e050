import {
  type CloseFacts,
  type Connection,
  type Handshake,
  type OutgoingMessage,
  type Telemetry,
  TransportPings,
  tracedConnection,
} from '@otel-ws/core/adapter'
import { hiddenProperty, unwrapMethods } from '@otel-ws/core/node'
import type { Client, EngineSocket } from './host.ts'
import { sharedWrapper } from './shared-wrapper.ts'

const TRANSPORT = Symbol.for('otel-ws.socket.io.transport')

/** A message in Engine.IO's write buffer, or its connection if the message has no span and is only counted. */
type Buffered = OutgoingMessage | Connection

/** State of one Engine.IO connection, which the sockets of any number of namespaces share. */
export class Transport {
  readonly pings: TransportPings
  /** The span of the Engine.IO handshake, if it was traced. */
  readonly handshake: Handshake['spanContext']
  /** Set once the client has asked for a namespace. */
  client: Client | undefined
  /** Why this side closes the connection because of what the client sent. */
  closeCause: CloseFacts | undefined
  /** Handshakes of sockets that are joining a namespace; `undefined` for those that option `ignore` excludes. */
  #joins: Map<object, Handshake | undefined> | undefined
  /** Usually one message is buffered: the array is created for the second. */
  #firstBuffered: Buffered | undefined
  #furtherBuffered: Buffered[] | undefined

  constructor(pings: TransportPings, handshake: Handshake['spanContext']) {
    this.pings = pings
    this.handshake = handshake
  }

  isJoining(socket: object): boolean {
    return this.#joins?.has(socket) === true
  }

  /** Returns the handshake of a socket that is joining its namespace. */
  joinOf(socket: object): Handshake | undefined {
    return this.#joins?.get(socket)
  }

  addJoin(socket: object, handshake: Handshake | undefined): void {
    this.#joins ??= new Map()
    this.#joins.set(socket, handshake)
  }

  /** Removes the handshake of a socket, which has its outcome. Most clients join once, so the empty map is dropped. */
  removeJoin(socket: object): void {
    if (this.#joins?.delete(socket) && this.#joins.size === 0) this.#joins = undefined
  }

  /** Socket.IO wrote a message: Engine.IO passed it to the transport, or buffers it until `drain`. */
  onWritten(conn: EngineSocket, connection: Connection, message: OutgoingMessage | undefined): void {
    if (conn.writeBuffer.length === 0) {
      if (message !== undefined) handedToTransport(conn, message)
    } else if (this.#firstBuffered === undefined) this.#firstBuffered = message ?? connection
    else {
      this.#furtherBuffered ??= []
      this.#furtherBuffered.push(message ?? connection)
    }
  }

  /** Engine.IO passed its write buffer to the transport. */
  onDrain(conn: EngineSocket): void {
    const first = this.#firstBuffered
    if (first === undefined) return
    const further = this.#furtherBuffered
    this.#firstBuffered = undefined
    this.#furtherBuffered = undefined
    if (isMessage(first)) handedToTransport(conn, first)
    if (further !== undefined) for (const one of further) if (isMessage(one)) handedToTransport(conn, one)
  }

  /** The connection changed to another transport, such as from `polling` to `websocket`. */
  onUpgrade(transport: string): void {
    if (this.client === undefined) return
    for (const socket of this.client.nsps.values()) tracedConnection(socket)?.transportChanged(transport)
  }

  /** @param reason of Engine.IO */
  onClose(reason: unknown): void {
    if (reason === 'ping timeout') this.pings.missed()
    if (this.#firstBuffered !== undefined) {
      failBuffered(this.#firstBuffered)
      this.#furtherBuffered?.forEach(failBuffered)
    }
    this.#firstBuffered = undefined
    this.#furtherBuffered = undefined
    const by = reason === 'transport close' || reason === 'transport error' ? 'remote' : 'local'
    for (const handshake of this.#joins?.values() ?? []) handshake?.abandon(by)
    this.#joins = undefined
  }
}

function isMessage(buffered: Buffered): buffered is OutgoingMessage {
  return 'flushed' in buffered
}

function failBuffered(buffered: Buffered): void {
  const error = new DisconnectedError()
  if (isMessage(buffered)) {
    buffered.connection.series.onTransmitted(error)
    buffered.flushed(error)
  } else buffered.series.onTransmitted(error)
}

/** The connection closed while the message was buffered. The code is the span's `error.type`. */
class DisconnectedError extends Error {
  readonly code = 'disconnected'

  constructor() {
    super('the connection closed before the message was sent')
    this.name = 'DisconnectedError'
  }
}

/** Engine.IO passed a message to its transport. A `ws` socket may buffer it once more until the kernel takes it. */
function handedToTransport({ transport, readyState }: EngineSocket, message: OutgoingMessage): void {
  const { socket } = transport
  if (socket === undefined || readyState === 'closed') message.flushed()
  else (message.connection as Connection).endWhenFlushed(message, socket)
}

type TracedConn = EngineSocket & { [TRANSPORT]?: Transport }

/** Returns the state of an Engine.IO connection if it is traced. */
export function transportOf(conn: EngineSocket): Transport | undefined {
  return (conn as TracedConn)[TRANSPORT]
}

/** Traces the pings, transport changes and close of an Engine.IO connection, once. */
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
  Object.defineProperty(conn, 'emit', hiddenProperty(wrapEmit(conn.emit as Emit)))
  return transport
}

/** Restores the original methods of an Engine.IO connection. */
export function untraceTransport(conn: EngineSocket): void {
  unwrapMethods(conn, ['emit'])
  delete (conn as TracedConn)[TRANSPORT]
}

/** Set while Engine.IO emits `data`, and only during that synchronous run. */
let connOfCurrentRun: EngineSocket | undefined

/** Returns the Engine.IO connection whose data Socket.IO decodes in the current synchronous run. */
export function engineSocketBeingRead(): EngineSocket | undefined {
  return connOfCurrentRun
}

type Emit = (this: EngineSocket, type: string, ...args: unknown[]) => boolean

/** Engine.IO emits an event for everything that happens to a connection, in most cases without a listener. */
const wrapEmit = sharedWrapper<Emit>((original) => {
  return function emit(this: TracedConn, type: string, a?: unknown): boolean {
    const transport = this[TRANSPORT]
    const args = arguments as unknown as Parameters<Emit>
    switch (type) {
      case 'data': {
        const outer = connOfCurrentRun
        connOfCurrentRun = this
        try {
          return original.apply(this, args)
        } finally {
          connOfCurrentRun = outer
        }
      }
      case 'packetCreate':
        if ((a as { type?: string }).type === 'ping') transport?.pings.sent()
        break
      case 'heartbeat':
        transport?.pings.answered()
        break
      case 'drain':
        transport?.onDrain(this)
        break
      case 'upgrade':
        transport?.onUpgrade((a as { name: string }).name)
        break
      case 'close':
        transport?.onClose(a)
    }
    return original.apply(this, args)
  }
})
