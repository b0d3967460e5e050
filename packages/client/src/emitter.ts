import type { Span } from '@opentelemetry/api'
import {
  type ClientConnection,
  closeCodeOf,
  dispatch,
  type Emitter,
  override,
  type Process,
  usesPlainEmit,
} from '@otel-ws/core/client'
import { sizeOf } from './payload.ts'
import { CLOSED, OPEN, type WebSocketLike } from './socket.ts'

/** The members of a `ws` client that are used. */
interface WsClient extends Emitter {
  readonly readyState: number
  readonly protocol: string
  readonly bufferedAmount: number
  readonly _closeFrameReceived?: boolean
  send(...args: unknown[]): void
  close(...args: unknown[]): void
  terminate(): void
}

interface SendOptions {
  readonly binary?: boolean
  readonly fin?: boolean
}

/** True for a `ws` client, which is an `EventEmitter` beside an event target. */
export function isEmitter(socket: object): boolean {
  const { emit, rawListeners, terminate } = socket as Partial<WsClient>
  return typeof emit === 'function' && typeof rawListeners === 'function' && typeof terminate === 'function'
}

/**
 * Traces a `ws` client: our methods stand in front of the socket's own and call them with the same arguments. Nothing is
 * registered on the socket.
 */
export function traceEmitter(webSocket: WebSocketLike, connection: ClientConnection): void {
  const socket = webSocket as unknown as WsClient
  const { emit, send, close, terminate } = socket
  const plain = usesPlainEmit(socket)
  /** Of the message that is being sent in fragments. */
  let partial: { readonly binary: boolean; size: number } | undefined
  let failure: unknown
  let status: number | undefined

  function emitMessage(operation: Process, own: WsClient, data: unknown, binary: unknown): boolean {
    return plain && operation.timed
      ? dispatch(operation, own, 'message', data, binary)
      : emit.call(own, 'message', data, binary)
  }

  const methods = {
    emit(this: WsClient, type: string, a?: unknown, b?: unknown): boolean {
      switch (type) {
        case 'upgrade':
          status = statusOf(a)
          break
        case 'unexpected-response':
          connection.failed('rejected', statusOf(b))
          break
        case 'open':
          connection.opened(this.protocol, status)
          break
        case 'message':
          if (typeof b === 'boolean' && arguments.length === 3) {
            const operation = connection.receive(a, b, sizeOf(a))
            if (operation !== undefined) return operation.run(emitMessage, this, a, b)
          }
          break
        case 'error':
          if (!connection.isOpen) failure = a
          else connection.failing(closeCodeOf(a))
          break
        case 'close':
          try {
            return emit.apply(this, arguments as unknown as [string])
          } finally {
            if (failure !== undefined) connection.failed('failed', undefined, failure)
            const received = this._closeFrameReceived ?? a !== 1006
            connection.close({ received: received ? (a as number) : undefined, reason: String(b ?? '') })
          }
      }
      return emit.apply(this, arguments as unknown as [string])
    },

    send(this: WsClient, data: unknown, options?: unknown): void {
      const args = [...(arguments as unknown as unknown[])]
      const settings = (typeof options === 'object' && options !== null ? options : undefined) as
        | SendOptions
        | undefined
      const binary = partial?.binary ?? settings?.binary ?? (typeof data !== 'string' && typeof data !== 'number')
      const size = sizeOf(data)
      if (this.readyState !== OPEN) {
        send.apply(this, args)
        connection.notSent(data, binary, size)
        return
      }
      if (settings?.fin === false) {
        send.apply(this, args)
        partial ??= { binary, size: 0 }
        partial.size += size
        return
      }
      const total = (partial?.size ?? 0) + size
      // Of a message that went out in fragments nobody has the whole.
      const span = connection.sending(partial === undefined ? data : undefined, binary, total)
      partial = undefined
      const given = args.at(-1)
      if (typeof given === 'function' && args.length > 1) {
        args[args.length - 1] = function (this: unknown, error: unknown): void {
          connection.transmitted(span, error)
          given.apply(this, arguments)
        }
      }
      try {
        send.apply(this, args)
      } catch (error) {
        connection.sendFailed(span, error)
        throw error
      }
      connection.taken(span, binary, total)
      if (span !== undefined && args.at(-1) === given) endWhenWritten(this, span)
    },

    close(this: WsClient, code?: number, reason?: unknown): void {
      const first = this.readyState <= OPEN && this._closeFrameReceived !== true
      close.apply(this, arguments as unknown as unknown[])
      if (first) connection.closing(code, reason === undefined ? undefined : String(reason))
    },

    terminate(this: WsClient): void {
      connection.terminating()
      terminate.call(this)
    },
  }
  for (const [name, method] of Object.entries(methods)) override(socket, name, method)
}

function statusOf(response: unknown): number | undefined {
  return (response as { statusCode?: number } | undefined)?.statusCode
}

const MAX_WAIT = 1000

/** Ends a send's span once the kernel has its bytes: mostly at once, else it looks again, less and less often. */
function endWhenWritten(socket: WsClient, span: Span, wait = 1): void {
  if (socket.bufferedAmount === 0 || socket.readyState === CLOSED) {
    span.end()
    return
  }
  const timer = setTimeout(endWhenWritten, wait, socket, span, Math.min(wait * 2, MAX_WAIT))
  ;(timer as unknown as { unref?: () => void }).unref?.()
}
