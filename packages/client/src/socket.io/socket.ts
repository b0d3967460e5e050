import {
  type AckWaiter,
  ATTR_WEBSOCKET_MESSAGE_SIZE,
  ATTR_WEBSOCKET_MESSAGE_TYPE,
  ATTR_WEBSOCKET_UNDELIVERED_REASON,
  activeContext,
  boundName,
  ClientConnection,
  type ClientProcess,
  type ClientTelemetry,
  CONFIRMATION_EVENT,
  Connect,
  connectParams,
  extractFromPacket,
  injectIntoPacket,
  otherName,
  PendingAck,
  parseCarrier,
  runInContext,
  runProcess,
  setAttribute,
  wrapMethod,
} from '@otel-ws/core/client'
import { watchPage } from '../page.ts'
import { storeConnection } from '../store.ts'
import { closeFacts } from './close.ts'
import { Emission } from './emission.ts'
import { ACK, type Callback, EVENT, type Host, type Packet } from './host.ts'
import { type OnWire, type Sharer, tracedManager } from './manager.ts'

/**
 * Traces the socket of a namespace: our methods stand in front of its own and call them. Nothing is registered on it. Each
 * of its connections, one after the other, has a record of its own.
 */
export function traceHost(socket: Host, telemetry: ClientTelemetry): void {
  const own = {
    emit: socket.emit,
    emitEvent: socket.emitEvent,
    emitReserved: socket.emitReserved,
    packet: socket.packet,
    onevent: socket.onevent,
    onack: socket.onack,
    onconnect: socket.onconnect,
    connect: socket.connect,
    disconnect: socket.disconnect,
    registerAck: socket._registerAckCallback,
  }
  const manager = tracedManager(socket.io)
  /** Events that wait until there is a connection, and the one that is being emitted. */
  const emissions = new WeakMap<Packet, Emission>()
  let emitting: Emission | undefined
  /** Emissions whose acknowledgement is awaited, and acknowledgements that are owed. */
  const awaited = new Set<Emission>()
  const waiters = new Set<AckWaiter>()
  const owed = new Map<number, PendingAck>()
  const arrivals = new WeakMap<object, Packet>()
  let connect: Connect | undefined
  let connection: ClientConnection | undefined

  /** The record of the connection that is there or being made. */
  function begin(): ClientConnection {
    if (connection !== undefined && !connection.closed) return connection
    telemetry.refresh()
    connect = new Connect(telemetry, socket.io.uri, socket.nsp)
    connection = new ClientConnection(connect, {
      get bufferedAmount() {
        return socket.io.engine?.transport?.ws?.bufferedAmount ?? 0
      },
    })
    storeConnection(socket, connection)
    watchPage(connection)
    return connection
  }

  const sharer: Sharer = {
    nsp: socket.nsp,
    opening() {
      if (!socket.active) return {}
      begin()
      return connect === undefined ? {} : connectParams(connect, socket.io.uri)
    },
    agreed(id) {
      connection?.messages?.acceptTerms(id)
      own.packet.call(socket, { type: EVENT, data: [...CONFIRMATION_EVENT] })
    },
  }
  manager.sharers.add(sharer)

  /** Calls the listeners of an event as Socket.IO does, and keeps what they return, which it discards. */
  function dispatch(process: ClientProcess, args: unknown[]): void {
    for (const listener of [...(socket._anyListeners ?? [])]) process.follow(listener.apply(socket, args), listener)
    const name = args[0] as string
    for (const listener of [...socket.listeners(name)]) {
      const { fn } = listener
      if (fn !== undefined) socket.off(name, listener)
      process.follow((fn ?? listener).apply(socket, args.slice(1)), fn ?? listener)
    }
    const last = args.at(-1)
    if (socket._pid && typeof last === 'string') socket._lastOffset = last
  }

  function carrying(packet: Packet, span: Emission['span']): { packet: Packet; bytes: number } {
    const agreement = connection?.messages?.terms
    const data =
      agreement && injectIntoPacket(agreement, (packet.data ?? []) as unknown[], connection?.messages?.carrier(span))
    if (data === undefined) return { packet, bytes: 0 }
    return { packet: { ...packet, data }, bytes: textLength(data) }
  }

  function write(emission: Emission | undefined, given: Packet, more: unknown[]): unknown {
    const { packet, bytes } = carrying(given, emission?.span)
    const result = own.packet.call(socket, packet, ...more)
    if (emission === undefined) return result
    const { sent } = manager
    const size = sent.text ? sent.size - bytes : sent.size
    emission.isTaken = true
    setAttribute(emission.span, ATTR_WEBSOCKET_MESSAGE_SIZE, size)
    setAttribute(emission.span, ATTR_WEBSOCKET_MESSAGE_TYPE, sent.binary ? 'binary' : 'text')
    connection?.sendAccepted(emission.span, sent.binary, size)
    if (!emission.waits) emission.end()
    return result
  }

  const methods = {
    emit(this: Host, ...args: unknown[]): unknown {
      const [name] = args
      // Each try of a packet that is retried is an event of its own.
      const isQueued = this._opts.retries && !this.flags.fromQueue && !this.flags.volatile
      if (connection === undefined || isQueued || typeof name !== 'string') return own.emit.apply(this, args)
      const reply = typeof args.at(-1) === 'function'
      const started = new Emission(
        connection,
        connection.startSend(args, false, 0, boundName(name), {
          carries: connection.messages?.terms !== undefined,
          awaitsReply: reply,
        }),
      )
      const outer = emitting
      emitting = started
      const before = this.sendBuffer.length
      try {
        const result = own.emit.apply(this, args)
        if (!started.isTaken) left(started, this.sendBuffer.length > before ? this.sendBuffer.at(-1) : undefined)
        return result
      } catch (error) {
        started.connection.sendFailed(started.span, error)
        throw error
      } finally {
        emitting = outer
      }
    },

    packet(this: Host, packet: Packet, ...more: unknown[]): unknown {
      if (packet?.type === EVENT) {
        const emission = emissions.get(packet) ?? emitting
        emissions.delete(packet)
        return write(emission, packet, more)
      }
      if (packet?.type !== ACK) return own.packet.apply(this, arguments as never)
      const ack = owed.get(packet.id as number)
      owed.delete(packet.id as number)
      const result = own.packet.call(this, carrying(packet, undefined).packet, ...more)
      ack?.settle('ok')
      return result
    },

    _registerAckCallback(this: Host, id: number, ack: Callback, ...more: unknown[]): unknown {
      const emission = emitting
      if (emission === undefined) return own.registerAck.apply(this, arguments as never)
      const active = activeContext()
      emission.waits = true
      emission.hold()
      awaited.add(emission)
      const answered: Callback = function (this: unknown, ...args: unknown[]): unknown {
        awaited.delete(emission)
        const [error] = args
        emission.settle(
          !(error instanceof Error) ? 'ok' : error.message.includes('timed out') ? 'timeout' : 'disconnected',
        )
        return runInContext(active, () => ack.apply(this, args))
      }
      if (ack.withError !== undefined) answered.withError = ack.withError
      return own.registerAck.call(this, id, answered, ...more)
    },

    onevent(this: Host, packet: Packet): unknown {
      if (Array.isArray(packet?.data)) arrivals.set(packet.data, packet)
      return own.onevent.apply(this, arguments as never)
    },

    emitEvent(this: Host, args: unknown[], ...more: unknown[]): unknown {
      const packet = arrivals.get(args)
      if (connection === undefined || packet === undefined) return own.emitEvent.apply(this, arguments as never)
      const event = taken(connection, args, packet, manager.receivedAs(packet))
      const isReply = packet.id != null
      const name = String(event.args[0])
      const message = this.listeners(name).length > 0 ? boundName(name) : otherName(name)
      const { binary, size } = event
      const process = connection.startReceive(event.args, binary, size, message, isReply)
      if (process === undefined) return own.emitEvent.call(this, event.args, ...more)
      if (isReply) owed.set(packet.id as number, new PendingAck(process, waiters))
      return runProcess(process, dispatch, event.args, undefined, undefined)
    },

    onack(this: Host, packet: Packet): unknown {
      const agreement = connection?.messages?.terms
      // The callback runs in the context of the call that sent the event: what the answer carries is not needed.
      if (agreement !== undefined && Array.isArray(packet?.data)) extractFromPacket(agreement, packet.data)
      return own.onack.apply(this, arguments as never)
    },

    onconnect(this: Host, ...args: unknown[]): unknown {
      begin().opened()
      return own.onconnect.apply(this, args)
    },

    emitReserved(this: Host, type: string, ...args: unknown[]): unknown {
      if (type === 'connect_error') {
        // Only what the server says has a member for its own data.
        const error = args[0] as object
        connection?.failed(Object.hasOwn(error, 'data') ? 'rejected' : 'failed', undefined, error)
      } else if (type === 'disconnect') {
        settleAwaited(this)
        for (const waiter of waiters) waiter.settle('disconnected')
        owed.clear()
        connection?.close(closeFacts(args[0] as string, args[1]))
      }
      return own.emitReserved.apply(this, arguments as never)
    },

    connect(this: Host): unknown {
      if (!this.connected) begin()
      return own.connect.apply(this, arguments as unknown as [])
    },

    disconnect(this: Host): unknown {
      const result = own.disconnect.apply(this, arguments as unknown as [])
      // Before the connection stands the host emits nothing.
      connection?.failed('abandoned')
      return result
    },
  }

  /** Settles what will not be acknowledged any more; events that are kept for the next connection will. */
  function settleAwaited({ sendBuffer }: Host): void {
    const kept = new Set(sendBuffer.map((packet) => emissions.get(packet)))
    for (const emission of awaited) {
      if (kept.has(emission)) continue
      awaited.delete(emission)
      emission.settle('disconnected')
    }
  }

  /** The event did not go out in the call: it waits for a connection, or was dropped. */
  function left(emission: Emission, buffered: Packet | undefined): void {
    if (buffered !== undefined) {
      emissions.set(buffered, emission)
      emission.hold()
      return
    }
    emission.connection.series?.missed('volatile')
    setAttribute(emission.span, ATTR_WEBSOCKET_UNDELIVERED_REASON, 'volatile')
    awaited.delete(emission)
    emission.end()
  }

  for (const [name, method] of Object.entries(methods)) wrapMethod(socket, name, method)
  // An alias that the prototype keeps beside it.
  wrapMethod(socket, 'open', methods.connect)
  if (socket.active) begin()
  if (socket.connected) begin().opened()
}

/** An event without its carrier, and what it was on the wire. */
function taken(connection: ClientConnection, args: unknown[], packet: Packet, wire: OnWire) {
  const agreement = connection.messages?.terms
  const event = [...args]
  if (agreement === undefined) return { args: event, binary: wire.binary, size: wire.size }
  // The acknowledgement, which has been added by now, stands behind the carrier.
  const ack = packet.id != null ? [event.pop()] : []
  const whole = [...event]
  const inBand = extractFromPacket(agreement, event)
  connection.messages?.setIncomingContext(inBand && parseCarrier(inBand.carrier, inBand.problem))
  const isCarrier = wire.text && inBand !== undefined && inBand.problem !== 'malformed'
  return {
    args: [...event, ...ack],
    binary: wire.binary,
    size: isCarrier ? wire.size - textLength(whole) : wire.size,
  }
}

/** Bytes that the last element takes in a list that is JSON text. */
function textLength(data: readonly unknown[]): number {
  return JSON.stringify(data.at(-1)).length + (data.length > 1 ? 1 : 0)
}
