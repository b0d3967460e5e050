import {
  bindContext,
  type Carrier,
  type Connection,
  type OutgoingMessage,
  type PropagationTerms,
} from '@otel-ws/core/adapter'
import type { Client, Socket } from './host.ts'
import { encodedSize, isBinary, isJsonText } from './packet-size.ts'
import { transportOf } from './transport.ts'
import { swapCurrentWriteObserver, type WriteObserver } from './write-observer.ts'

type Callback = (this: unknown, ...args: unknown[]) => unknown

/** One event to one client, from the call of `emit` to the packet that Socket.IO writes. */
export class Emission implements WriteObserver {
  readonly socket: Socket
  readonly #connection: Connection
  /** The message, or its name if it is only counted: one field, because there is an emission per event. */
  readonly #event: OutgoingMessage | string
  #carrierSize = 0
  #size = 0
  #binary = false
  #isWritten = false
  #isDropped = false
  /** The adapter publishes the event to other nodes first and writes it to the client afterwards. */
  isPublished = false

  constructor(socket: Socket, connection: Connection, event: OutgoingMessage | string) {
    this.socket = socket
    this.#connection = connection
    this.#event = event
  }

  get #message(): OutgoingMessage | undefined {
    return typeof this.#event === 'string' ? undefined : this.#event
  }

  createCarrier(terms: PropagationTerms): Carrier | undefined {
    return this.#message?.carrier(terms)
  }

  onCarrierInjected(bytes: number): void {
    this.#carrierSize = bytes
  }

  onWritten(_: Client, encoded: unknown): void {
    this.#isWritten = true
    this.#size = encodedSize(encoded) - (isJsonText(encoded) ? this.#carrierSize : 0)
    this.#binary = isBinary(encoded)
  }

  onDropped(): void {
    this.#isDropped = true
  }

  onSkipped(): void {}

  /** `emit` returned. A published event is recorded later, by {@link onFannedOut}. */
  onEmitReturned(): void {
    if (this.isPublished) this.#message?.defer()
    else this.#record()
  }

  /** The adapter has fanned the event out on this node. */
  onFannedOut(): void {
    if (!this.isPublished) return
    this.#record()
    this.#message?.resume()
  }

  #record(): void {
    const message = this.#message
    const connection = this.#connection
    // The client can still be connected when its socket is not; Socket.IO discards packets for such a socket.
    if (this.#isWritten && !connection.closed) {
      const sequence = connection.countSent(this.#binary, this.#size)
      message?.encoded(this.#binary, this.#size)
      if (typeof this.#event === 'string') connection.countByName(this.#event, this.#binary, 'personal')
      message?.sent(connection, sequence)
      transportOf(this.socket.conn)?.onWritten(this.socket.conn, connection, message)
    } else if (this.#isDropped && !connection.closed) {
      connection.series.volatileDrops++
      message?.dropped()
    } else {
      connection.series.notOpen++
      message?.skipped(connection)
    }
  }
}

/**
 * Returns the emission that a broadcast with these rooms belongs to, if there is one: with connection state recovery,
 * Socket.IO sends an event to one socket as a broadcast to the room of its id.
 */
export function emissionTo(observer: WriteObserver | undefined, rooms: Set<string> | undefined): Emission | undefined {
  return observer instanceof Emission && rooms?.size === 1 && rooms.has(observer.socket.id) ? observer : undefined
}

/** Calls the original `emit` of a socket with a send span for the event. */
export function emitTraced(emit: Callback, connection: Connection, socket: Socket, args: unknown[]): unknown {
  const last = args.length - 1
  const ack = args[last]
  const awaitsAck = typeof ack === 'function'
  const { timeout } = socket.flags
  const message = connection.startEvent(hookData(connection, args, awaitsAck), String(args[0]), awaitsAck)
  if (awaitsAck && (message !== undefined || timeout !== undefined)) {
    args[last] = wrapAck(connection, message, ack as Callback, timeout !== undefined)
  }
  const emission = new Emission(socket, connection, message ?? String(args[0]))
  const outer = swapCurrentWriteObserver(emission)
  let result: unknown
  try {
    result = emit.apply(socket, args)
  } catch (error) {
    message?.failed(error)
    throw error
  } finally {
    swapCurrentWriteObserver(outer)
  }
  emission.onEmitReturned()
  return result
}

/** Returns the event without its acknowledgement callback, for hook `onMessage`. Nothing is copied without the hook. */
function hookData({ services }: Connection, args: ArrayLike<unknown>, awaitsAck: boolean): unknown {
  return services.options.onMessage === undefined
    ? args
    : Array.prototype.slice.call(args, 0, awaitsAck ? -1 : undefined)
}

/**
 * Wraps the acknowledgement callback of an event. It runs in the context that was active when the event was sent.
 *
 * @param hasTimeout Socket.IO then passes an error, or `null`, before the acknowledged values
 */
function wrapAck(
  connection: Connection,
  message: OutgoingMessage | undefined,
  ack: Callback,
  hasTimeout: boolean,
): Callback {
  const callback = bindContext(ack as never) as Callback
  let isSettled = false
  return function acknowledged(this: unknown, ...args: unknown[]): unknown {
    if (!isSettled) {
      isSettled = true
      const isLate = hasTimeout && args[0] != null
      if (isLate && !connection.closed) connection.series.ackTimeouts++
      message?.settle(isLate ? 'timeout' : 'ok')
    }
    return callback.apply(this, args)
  }
}
