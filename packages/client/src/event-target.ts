import {
  type ClientConnection,
  type ClientProcess,
  CONFIRMATION,
  replaceMethod,
  runHandlers,
} from '@otel-ws/core/client'
import { isBinary, sizeOf } from './payload.ts'
import { OPEN, type WebSocketLike } from './socket.ts'

type Handler = (this: unknown, event: unknown) => unknown
type Arguments = [type: string, listener: unknown, ...options: unknown[]]

/** The members of a socket that are wrapped. */
export interface Target {
  addEventListener(...args: Arguments): void
  removeEventListener(...args: Arguments): void
  dispatchEvent(...args: unknown[]): unknown
  send(...args: unknown[]): void
  close(...args: unknown[]): void
  onmessage: unknown
}

interface CloseFields {
  readonly code: number
  readonly reason: string
}

/** Receives a socket's events. */
export interface Watcher {
  opened(): void
  closed(event: unknown): void
  /** A message is about to be dispatched. Returns false for the server's hello message, which must not be dispatched. */
  begin(event: unknown): boolean
  /** The dispatch of a message is over. */
  end(): void
}

/** Reports a socket's events to a watcher, on platforms where added listeners cannot. */
export type Watch = (target: Target, connection: ClientConnection, watcher: Watcher) => void

/**
 * Traces a socket that is an `EventTarget` of the platform. The platform calls each listener itself, so each `message`
 * listener is registered as a wrapper that runs it in the message's context. Two more listeners, before and after all
 * others, mark the start and the end of the dispatch.
 *
 * @param watch does what these two do, on platforms that take care of the promises that listeners return as well
 */
export function traceTarget(socket: WebSocketLike, connection: ClientConnection, watch?: Watch): void {
  const target = socket as unknown as Target
  const { addEventListener, removeEventListener, send } = target
  const wrappers = new WeakMap<object, object>()
  const originals = new WeakMap<object, object>()
  let current: ClientProcess | undefined
  let event: unknown
  let isTailDisplaced = false

  /** Calls what listens, in the context of the message that is being dispatched. */
  function call(handler: Handler, self: unknown, occurred: unknown): unknown {
    const process = current
    if (process === undefined || occurred !== event) return handler.call(self, occurred)
    try {
      const result = runHandlers(process, callHandler, handler, self, occurred)
      if (process.timed) process.follow(result, handler, watch !== undefined)
      return result
    } catch (error) {
      process.fail(error)
      throw error
    } finally {
      // Set by either method that stops propagation; the last listener is then not called.
      if ((occurred as Event).cancelBubble) setTimeout(() => current === process && end())
    }
  }

  /** The wrapper that is registered for a listener: always the same, so that the platform finds it again. */
  function wrapperOf(listener: unknown): unknown {
    const isListener = typeof listener === 'function' || (typeof listener === 'object' && listener !== null)
    if (!isListener || originals.has(listener)) return listener
    let wrapper = wrappers.get(listener)
    if (wrapper === undefined) {
      wrapper =
        typeof listener === 'function'
          ? function (this: unknown, occurred: unknown): unknown {
              return call(listener as Handler, this, occurred)
            }
          : {
              // Asked for at each dispatch, as the listener's own is: what it is by then counts.
              get handleEvent(): unknown {
                const { handleEvent } = listener as { handleEvent?: unknown }
                if (typeof handleEvent !== 'function') return handleEvent
                return (occurred: unknown) => call(handleEvent as Handler, listener, occurred)
              },
            }
      wrappers.set(listener, wrapper)
      originals.set(wrapper, listener)
    }
    return wrapper
  }

  function begin(occurred: unknown): boolean {
    end()
    if (connection.messages?.arrived(occurred as MessageEvent) === false) {
      send.call(target, CONFIRMATION)
      return false
    }
    const { data } = occurred as MessageEvent
    current = connection.startReceive(data, typeof data !== 'string', sizeOf(data))
    event = occurred
    return true
  }

  function end(): void {
    const process = current
    current = undefined
    event = undefined
    if (isTailDisplaced) moveTail()
    process?.done()
  }

  function opened(): void {
    connection.opened(socket.protocol)
  }

  function closed(occurred: unknown): void {
    const { code, reason } = occurred as CloseFields
    end()
    connection.close({ received: code === 1006 ? undefined : code, reason })
  }

  function head(occurred: unknown): void {
    if (!begin(occurred)) (occurred as Event).stopImmediatePropagation()
  }

  /** Makes the end marker the last listener again. One that is moved during a dispatch would be skipped. */
  function moveTail(): void {
    isTailDisplaced = event !== undefined
    if (isTailDisplaced || watch) return
    removeEventListener.call(socket, 'message', end)
    addEventListener.call(socket, 'message', end)
  }

  if (watch) watch(target, connection, { opened, closed, begin, end })
  else {
    addEventListener.call(socket, 'open', opened)
    addEventListener.call(socket, 'close', closed)
    addEventListener.call(socket, 'message', head)
    moveTail()
  }

  // With what `watch` has put around it.
  const { close } = target
  const methods = {
    addEventListener(this: Target, ...args: Arguments): void {
      const isMessage = args[0] === 'message' && args.length > 1
      if (isMessage) args[1] = wrapperOf(args[1])
      addEventListener.apply(this, args)
      if (isMessage) moveTail()
    },
    removeEventListener(this: Target, ...args: Arguments): void {
      removeEventListener.apply(this, args)
      const wrapper = wrappers.get(args[1] as object)
      if (wrapper === undefined) return
      args[1] = wrapper
      removeEventListener.apply(this, args)
    },
    send(this: Target, ...args: unknown[]): void {
      const binary = isBinary(args[0])
      // Converted once, as the platform would: the size is needed, and a conversion may run code of the application.
      if (!binary && args.length > 0 && typeof args[0] !== 'symbol') args[0] = `${args[0]}`
      const [data] = args
      const size = sizeOf(data)
      if (socket.readyState !== OPEN) {
        send.apply(this, args)
        connection.sendSkipped(data, binary, size)
        return
      }
      const span = connection.startSend(data, binary, size)
      if (typeof data === 'string') args[0] = connection.messages?.injectContext(data, span) ?? data
      try {
        send.apply(this, args)
      } catch (error) {
        connection.sendFailed(span, error)
        throw error
      }
      connection.sendAccepted(span, binary, size)
      connection.end(span)
    },
    close(this: Target, ...args: unknown[]): void {
      const first = socket.readyState <= OPEN
      close.apply(this, args)
      if (first) connection.closeFrameSent(...(args as [number?, string?]))
    },
  }
  for (const [name, method] of Object.entries(methods)) replaceMethod(socket, name, method)
  const accessor = accessorOf(socket, 'onmessage')
  if (accessor?.set === undefined) return
  const { onmessage } = target
  const { get, set } = accessor as Required<PropertyDescriptor>
  Object.defineProperty(socket, 'onmessage', {
    configurable: true,
    get(this: unknown): unknown {
      const handler: unknown = get.call(socket)
      return originals.get(handler as object) ?? handler
    },
    set(this: unknown, handler: unknown): void {
      set.call(socket, typeof handler === 'function' ? wrapperOf(handler) : handler)
      moveTail()
    },
  })
  if (typeof onmessage === 'function') target.onmessage = onmessage
}

function accessorOf(socket: object, name: string): PropertyDescriptor | undefined {
  for (let at: object | null = socket; at !== null; at = Object.getPrototypeOf(at)) {
    const found = Object.getOwnPropertyDescriptor(at, name)
    if (found !== undefined) return found
  }
  return undefined
}

function callHandler(_: unknown, handler: Handler, self: unknown, event: unknown): unknown {
  return handler.call(self, event)
}
