import { EventEmitter } from 'node:events'
import {
  type AckWaiter,
  bindContext,
  type Carrier,
  type Connection,
  copySignature,
  dispatchAll,
  hiddenProperty,
  type OutgoingMessage,
  outsideEndedHandshake,
  type Process,
  type PropagationTerms,
  tracedConnection,
  unwrapMethods,
} from '@otel-ws/core/adapter'
import { extractFromEvent } from './carriers.ts'
import { incomingOf } from './client.ts'
import { closeFacts } from './close.ts'
import type { Client, EngineSocket, Packet, Socket } from './host.ts'
import { type Outgoing, swapOutgoing } from './outgoing.ts'
import { encodedSize, isBinary, isJsonText } from './payload.ts'
import { transportOf } from './transport.ts'

type Callback = (this: unknown, ...args: unknown[]) => unknown

/** The socket's own methods, which ours call. */
type Methods = Pick<Socket, 'onevent' | 'dispatch' | '_onclose'> & { emit: Callback }

const METHOD_NAMES = ['onevent', 'emit', '_onclose'] as const
const shared = new WeakMap<object, { methods: Methods; overrides: PropertyDescriptorMap }>()

/**
 * Traces a socket whose record it has: puts our methods in front of the socket's own. Nothing is registered on it, and
 * what the application registers stays as it is.
 */
export function traceSocket(socket: Socket): void {
  Object.defineProperties(socket, overridesFor(socket))
}

/** Gives a socket its own methods back. */
export function untraceSocket(socket: Socket): void {
  unwrapMethods(socket, METHOD_NAMES)
}

/** The overrides of a class of sockets: made once, not per socket, unless one has methods of its own. */
function overridesFor(socket: Socket): PropertyDescriptorMap {
  const { onevent, dispatch, _onclose } = socket
  const methods: Methods = { onevent, dispatch, _onclose, emit: socket.emit as Callback }
  const prototype = Object.getPrototypeOf(socket) as object
  const known = shared.get(prototype)
  const names = Object.keys(methods) as (keyof Methods)[]
  if (known !== undefined && names.every((name) => known.methods[name] === methods[name])) return known.overrides
  const overrides = createOverrides(methods, dispatchesPlainly(socket))
  if (!names.some((name) => Object.hasOwn(socket, name))) shared.set(prototype, { methods, overrides })
  return overrides
}

/** True when events reach the listeners by Socket.IO's own methods, so that nobody's override is passed by. */
function dispatchesPlainly(socket: Socket): boolean {
  let host = Object.getPrototypeOf(socket) as object
  while (!Object.hasOwn(host, 'buildHandshake')) {
    host = Object.getPrototypeOf(host) as object
    if (host === null) return false
  }
  const own = host as Socket
  return (
    socket.onevent === own.onevent &&
    socket.dispatch === own.dispatch &&
    (socket as { domain?: unknown }).domain == null
  )
}

function createOverrides(own: Methods, plain: boolean): PropertyDescriptorMap {
  const methods = {
    onevent(this: Socket, packet: Packet): void {
      const connection = tracedConnection(this)
      const event = packet.data ?? []
      const { size: wireSize, binary, text } = incomingOf(packet)
      const size = connection?.terms === undefined ? wireSize : wireSize - extractFromEvent(connection, packet, text)
      const name = event[0] as string
      const reply = packet.id != null
      const registered = this.listenerCount(name) > 0
      const operation = connection?.startReceive(event, binary, size, String(name), reply, registered)
      if (connection === undefined || operation === undefined) own.onevent.call(this, packet)
      else if (plain && operation.timed) receive(connection, operation, this, packet, event)
      else operation.run(callOnevent, own, this, packet)
    },

    emit(this: Socket): unknown {
      const connection = tracedConnection(this)
      const args = arguments as unknown as unknown[]
      return connection === undefined ? own.emit.apply(this, args) : send(own.emit, connection, this, args)
    },

    _onclose(this: Socket, reason: string, description?: unknown): unknown {
      const connection = tracedConnection(this)
      if (connection === undefined || !this.connected) return own._onclose.call(this, reason, description)
      const transport = transportOf(this.conn)
      const facts = closeFacts(reason, description, this.conn, transport?.ending)
      try {
        return outsideEndedHandshake(() => own._onclose.call(this, reason, description))
      } finally {
        connection.close({ ...facts, rtt: transport?.pings.rtt })
      }
    },
  }

  const overrides: PropertyDescriptorMap = {}
  for (const name of METHOD_NAMES)
    overrides[name] = hiddenProperty(copySignature(methods[name] as never, own[name] as never))
  return overrides
}

/**
 * When nobody measures, Socket.IO goes its own way, in our context. A subclass with an `onevent` or a `dispatch` of its
 * own is called as before, too: its spans cover what runs before the next tick.
 */
function callOnevent(_: Process, own: Methods, socket: Socket, packet: Packet): void {
  own.onevent.call(socket, packet)
}

/**
 * Does what `onevent` and `dispatch` of Socket.IO do, and keeps what listeners return, which they discard: the listeners
 * of `onAny` at once, then the middleware of `use`, and in the next tick the listeners of the event.
 */
function receive(connection: Connection, operation: Process, socket: Socket, packet: Packet, event: unknown[]): void {
  if (packet.id != null) event.push(acknowledging(connection.trackAck(operation), socket.ack(packet.id)))
  const first = socket._anyListeners?.length || socket.fns.length
  if (first) operation.run(beforeDispatch, socket, event, undefined)
  else process.nextTick(dispatchEvent, operation, socket, event, undefined)
}

/** The function that an application is given to acknowledge an event. */
function acknowledging(owed: AckWaiter, ack: Callback): Callback {
  return function acknowledge(this: unknown, ...args: unknown[]): unknown {
    const result = ack.apply(this, args)
    owed.settle('ok')
    return result
  }
}

function beforeDispatch(operation: Process, socket: Socket, event: unknown[]): void {
  const anyListeners = socket._anyListeners
  if (anyListeners?.length) {
    for (const listener of [...anyListeners]) operation.follow(listener.apply(socket, event))
  }
  operation.hold()
  if (socket.fns.length === 0) process.nextTick(dispatchEvent, operation, socket, event, undefined)
  else runMiddleware(operation, socket, event)
}

function runMiddleware(operation: Process, socket: Socket, event: unknown[]): void {
  try {
    socket.run(event, (error) => process.nextTick(dispatchEvent, operation, socket, event, error))
  } catch (error) {
    operation.done()
    throw error
  }
}

function dispatchEvent(operation: Process, socket: Socket, event: unknown[], error: Error | null | undefined): void {
  operation.run(settleEvent, socket, event, error)
}

function settleEvent(operation: Process, socket: Socket, event: unknown[], error: Error | null | undefined): void {
  if (error) {
    operation.fail(error)
    socket._onerror(error)
  } else if (socket.connected) {
    const [type, ...args] = event
    // An `error` event has rules of its own when nobody listens.
    if (type === 'error') emitError(socket, args)
    else dispatchAll(operation, socket, type as string, args)
  }
}

function emitError(socket: Socket, args: unknown[]): void {
  EventEmitter.prototype.emit.call(socket, 'error', ...args)
}

/** One event to one client, from the call to what Socket.IO makes of it. */
export class Emission implements Outgoing {
  readonly socket: Socket
  readonly #message: OutgoingMessage | undefined
  #carrierSize = 0
  size = 0
  binary = false
  isWritten = false
  isDropped = false
  /** The adapter publishes it to other nodes, and hands it out here when that is done. */
  isPublished = false
  /** Called then. */
  handedOut: (() => void) | undefined

  constructor(socket: Socket, message: OutgoingMessage | undefined) {
    this.socket = socket
    this.#message = message
  }

  carrier(agreement: PropagationTerms): Carrier | undefined {
    return this.#message?.carrier(agreement)
  }

  carried(size: number): void {
    this.#carrierSize = size
  }

  written(_: Client, encoded: unknown): void {
    this.isWritten = true
    this.size = encodedSize(encoded) - (isJsonText(encoded) ? this.#carrierSize : 0)
    this.binary = isBinary(encoded)
  }

  dropped(): void {
    this.isDropped = true
  }

  skipped(): void {}
}

/**
 * What is being sent to one socket, when a broadcast is how the host sends it, as it does for those whose state can be
 * recovered.
 */
export function emissionTo(current: Outgoing | undefined, rooms: Set<string> | undefined): Emission | undefined {
  return current instanceof Emission && rooms?.size === 1 && rooms.has(current.socket.id) ? current : undefined
}

function send(emit: Callback, connection: Connection, socket: Socket, args: unknown[]): unknown {
  const last = args.length - 1
  const ack = args[last]
  const awaitsAck = typeof ack === 'function'
  const { timeout } = socket.flags
  const message = connection.startEvent(eventOf(connection, args, awaitsAck), String(args[0]), awaitsAck)
  if (awaitsAck && (message !== undefined || timeout !== undefined)) {
    args[last] = awaiting(connection, message, ack as Callback, timeout !== undefined)
  }
  const emission = new Emission(socket, message)
  const outer = swapOutgoing(emission)
  let result: unknown
  try {
    result = emit.apply(socket, args)
  } catch (error) {
    message?.failed(error)
    throw error
  } finally {
    swapOutgoing(outer)
  }
  if (emission.isPublished) {
    message?.defer()
    emission.handedOut = () => {
      told(connection, socket.conn, emission, message)
      message?.resume()
    }
  } else told(connection, socket.conn, emission, message)
  return result
}

/** The event as the application's hook is told of it; it is nobody else's business. */
function eventOf({ telemetry }: Connection, args: ArrayLike<unknown>, awaitsAck: boolean): unknown {
  return telemetry.options.onMessage === undefined
    ? args
    : Array.prototype.slice.call(args, 0, awaitsAck ? -1 : undefined)
}

function told(
  connection: Connection,
  conn: EngineSocket,
  emission: Emission,
  message: OutgoingMessage | undefined,
): void {
  const { series } = connection
  // A client may still be connected when its socket is not, and drops what comes for it.
  if (emission.isWritten && !connection.closed) {
    const sequence = connection.countSent(emission.binary, emission.size)
    message?.encoded(emission.binary, emission.size)
    message?.sent(connection, sequence)
    transportOf(conn)?.written(conn, connection, message)
  } else if (emission.isDropped && !connection.closed) {
    series.volatileDrops++
    message?.dropped()
  } else {
    series.notOpen++
    message?.skipped(connection)
  }
}

/**
 * The callback of an event that awaits an acknowledgement. It runs in the context of the call that sent the event.
 *
 * @param timed Socket.IO puts an error before the values, which tells that the time is over
 */
function awaiting(
  connection: Connection,
  message: OutgoingMessage | undefined,
  ack: Callback,
  timed: boolean,
): Callback {
  const callback = bindContext(ack as never) as Callback
  let isSettled = false
  return function acknowledged(this: unknown, ...args: unknown[]): unknown {
    if (!isSettled) {
      isSettled = true
      const isLate = timed && args[0] != null
      if (isLate && !connection.closed) connection.series.ackTimeouts++
      message?.settle(isLate ? 'timeout' : 'ok')
    }
    return callback.apply(this, args)
  }
}
