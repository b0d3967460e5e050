import { EventEmitter } from 'node:events'
import type { AckWaiter, Connection, Process } from '@otel-ws/core/adapter'
import { dispatchAll } from '@otel-ws/core/node'
import type { Packet, Socket } from './host.ts'

type Callback = (this: unknown, ...args: unknown[]) => unknown

/**
 * Does what `onevent` and `dispatch` of Socket.IO do, and follows the promises that listeners return, which Socket.IO
 * discards: first the listeners of `onAny`, then the middleware of `use`, and in the next tick the listeners of the event.
 */
export function processEvent(
  connection: Connection,
  operation: Process,
  socket: Socket,
  packet: Packet,
  event: unknown[],
): void {
  if (packet.id != null) event.push(wrapAck(connection.trackAck(operation), socket.ack(packet.id)))
  const runsBeforeListeners = socket._anyListeners?.length || socket.fns.length
  if (runsBeforeListeners) operation.runPart(beforeListeners, socket, event, undefined)
  else process.nextTick(runListeners, operation, socket, event, undefined)
}

/** Wraps the function that an application calls to acknowledge an event. */
function wrapAck(pendingAck: AckWaiter, ack: Callback): Callback {
  return function acknowledge(this: unknown, ...args: unknown[]): unknown {
    const result = ack.apply(this, args)
    pendingAck.settle('ok')
    return result
  }
}

function beforeListeners(operation: Process, socket: Socket, event: unknown[]): void {
  const anyListeners = socket._anyListeners
  if (anyListeners?.length) {
    for (const listener of [...anyListeners]) operation.follow(listener.apply(socket, event), listener)
  }
  operation.hold()
  if (socket.fns.length === 0) process.nextTick(runListeners, operation, socket, event, undefined)
  else runMiddleware(operation, socket, event)
}

function runMiddleware(operation: Process, socket: Socket, event: unknown[]): void {
  try {
    socket.run(event, (error) => process.nextTick(runListeners, operation, socket, event, error))
  } catch (error) {
    operation.done()
    throw error
  }
}

function runListeners(operation: Process, socket: Socket, event: unknown[], error: Error | null | undefined): void {
  operation.run(callListeners, socket, event, error)
}

function callListeners(operation: Process, socket: Socket, event: unknown[], error: Error | null | undefined): void {
  if (error) {
    operation.fail(error)
    socket._onerror(error)
  } else if (socket.connected) {
    const [type, ...args] = event
    // Node's own `emit` throws for an `error` event without listeners.
    if (type === 'error') EventEmitter.prototype.emit.call(socket, 'error', ...args)
    else dispatchAll(operation, socket, type as string, args)
  }
}
