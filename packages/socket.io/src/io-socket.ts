import {
  type Connection,
  type HandlerSpan,
  type IncomingMessage,
  outsideEndedHandshake,
  type Process,
  tracedConnection,
} from '@otel-ws/core/adapter'
import { copySignature, dispatchAll, hiddenProperty, unwrapMethods, wrapMethod } from '@otel-ws/core/node'
import { closeFacts } from './close-facts.ts'
import { emitTraced } from './emission.ts'
import type { Packet, Socket } from './host.ts'
import { processEvent } from './incoming-event.ts'
import { wireInfoOf } from './io-client.ts'
import { confirms, extractFromEvent } from './packet-propagation.ts'
import { transportOf } from './transport.ts'

type Callback = (this: unknown, ...args: unknown[]) => unknown

/** The methods that the wrappers replace or replicate. */
type Methods = Pick<Socket, 'onevent' | 'dispatch' | '_onclose'> & { emit: Callback }

/** Reasons of a disconnect that code of this side has asked for. */
const CALLED: ReadonlySet<string> = new Set(['server namespace disconnect', 'server shutting down'])

const METHOD_NAMES = ['onevent', 'emit', '_onclose'] as const
const wrappersByClass = new WeakMap<object, { originals: Methods; wrappers: PropertyDescriptorMap }>()

/**
 * Traces a socket whose connection is stored on it. Wraps methods of the socket and registers no listener, so that the
 * application's listeners and their order do not change.
 */
export function traceSocket(socket: Socket): void {
  Object.defineProperties(socket, wrappersFor(socket))
}

/** Restores the original methods of a socket. */
export function untraceSocket(socket: Socket): void {
  unwrapMethods(socket, METHOD_NAMES)
}

/** Returns the wrappers of a class of sockets, created once, unless this socket has methods that its class does not have. */
function wrappersFor(socket: Socket): PropertyDescriptorMap {
  const { onevent, dispatch, _onclose } = socket
  const originals: Methods = { onevent, dispatch, _onclose, emit: socket.emit as Callback }
  const prototype = Object.getPrototypeOf(socket) as object
  const known = wrappersByClass.get(prototype)
  const names = Object.keys(originals) as (keyof Methods)[]
  if (known !== undefined && names.every((name) => known.originals[name] === originals[name])) return known.wrappers
  const wrappers = createWrappers(originals, usesHostDispatch(socket))
  if (!names.some((name) => Object.hasOwn(socket, name))) wrappersByClass.set(prototype, { originals, wrappers })
  return wrappers
}

/** Returns true if Socket.IO's own methods dispatch events, so that replicating them bypasses no override. */
function usesHostDispatch(socket: Socket): boolean {
  let host = Object.getPrototypeOf(socket) as object
  // Only Socket.IO's own class has `buildHandshake`.
  while (!Object.hasOwn(host, 'buildHandshake')) {
    host = Object.getPrototypeOf(host) as object
    if (host === null) return false
  }
  const { onevent, dispatch } = host as Socket
  return socket.onevent === onevent && socket.dispatch === dispatch && (socket as { domain?: unknown }).domain == null
}

function createWrappers(originals: Methods, replicatesDispatch: boolean): PropertyDescriptorMap {
  const methods = {
    onevent(this: Socket, packet: Packet): unknown {
      const connection = tracedConnection(this)
      if (connection?.awaitsConfirmation && confirms(connection, packet)) return undefined
      const event = packet.data ?? []
      const operation = connection && startReceive(connection, this, packet, event)
      if (connection === undefined || operation === undefined) return originals.onevent.call(this, packet)
      if (replicatesDispatch && (operation.timed || connection.services.options.around !== undefined))
        return processEvent(connection, operation, this, packet, event)
      return operation.run(callOnevent, originals, this, packet)
    },

    emit(this: Socket): unknown {
      const connection = tracedConnection(this)
      const args = arguments as unknown as unknown[]
      return connection === undefined
        ? originals.emit.apply(this, args)
        : emitTraced(originals.emit, connection, this, args)
    },

    _onclose(this: Socket, reason: string, description?: unknown): unknown {
      const connection = tracedConnection(this)
      if (connection === undefined || !this.connected) return originals._onclose.apply(this, arguments as never)
      const transport = transportOf(this.conn)
      // Socket.IO calls this within the application's `disconnect()` or `close()`.
      if (CALLED.has(reason)) connection.closeCalled()
      const facts = closeFacts(reason, description, this.conn, transport?.closeCause)
      try {
        return outsideEndedHandshake(() => closeSocket(originals, connection, this, arguments))
      } finally {
        connection.close({ ...facts, rtt: transport?.pings.rtt })
      }
    },
  }

  const wrappers: PropertyDescriptorMap = {}
  for (const name of METHOD_NAMES)
    wrappers[name] = hiddenProperty(copySignature(methods[name] as never, originals[name] as never))
  return wrappers
}

/** Calls the original `_onclose`, with the application's listeners of the end under a span. */
function closeSocket(originals: Methods, connection: Connection, socket: Socket, args: IArguments): unknown {
  const count = socket.listenerCount('disconnecting') + socket.listenerCount('disconnect')
  const listeners = connection.startCloseListeners(count)
  if (listeners === undefined) return originals._onclose.apply(socket, args as never)
  return listeners.run(callOnclose, originals, socket, args)
}

function callOnclose(listeners: HandlerSpan, originals: Methods, socket: Socket, args: IArguments): unknown {
  const { emitReserved } = socket
  const restore = wrapMethod(socket, 'emitReserved', function (this: Socket, type: string): boolean {
    const rest = Array.prototype.slice.call(arguments, 1) as unknown[]
    return type === 'disconnecting' || type === 'disconnect'
      ? dispatchAll(listeners, this, type, rest)
      : emitReserved.call(this, type, ...rest)
  })
  try {
    return originals._onclose.apply(socket, args as never)
  } finally {
    restore()
  }
}

/**
 * Calls the original `onevent` in the context of the process span: when nothing is recorded, or when a subclass has its
 * own `onevent` or `dispatch`. The span then covers what runs before the next tick.
 */
function callOnevent(_: Process, originals: Methods, socket: Socket, packet: Packet): unknown {
  return originals.onevent.call(socket, packet)
}

/** Reused for every event: an object per event would be an allocation on the hot path. */
const incoming: { -readonly [K in keyof IncomingMessage]: IncomingMessage[K] } = {
  data: undefined,
  binary: false,
  size: 0,
  extracted: undefined,
  name: undefined,
  isRegistered: true,
  awaitsReply: false,
}

function startReceive(connection: Connection, socket: Socket, packet: Packet, event: unknown[]): Process | undefined {
  const { size, binary, text } = wireInfoOf(packet)
  const carrier = connection.terms === undefined ? undefined : extractFromEvent(connection.terms, packet, text)
  const name = event[0] as string
  incoming.data = event
  incoming.binary = binary
  incoming.size = carrier === undefined ? size : size - carrier.size
  incoming.extracted = carrier?.extracted
  incoming.name = String(name)
  incoming.isRegistered = socket.listenerCount(name) > 0
  incoming.awaitsReply = packet.id != null
  const process = connection.startReceive(incoming)
  incoming.data = undefined
  incoming.extracted = undefined
  return process
}
