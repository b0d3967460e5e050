import type { Attributes, Span } from '@opentelemetry/api'
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_WEBSOCKET_MESSAGE_SIZE,
  type ClientConnection,
  type ClientProcess,
  CONFIRMATION,
  closeCodeOf,
  dispatch,
  type Emitter,
  FlushPoller,
  headerOffer,
  INCOMPLETE_OFFER,
  jsonMember,
  PROTOCOL_NAME,
  parseAcceptHeader,
  runProcess,
  setAttribute,
  textPayload,
  usesPlainEmit,
  wrapMethod,
} from '@otel-ws/core/client'
import { sizeOf as sizeOfOne } from './payload.ts'
import { OPEN, type WebSocketLike } from './socket.ts'

/** The members of a `ws` client that are used. */
interface WsClient extends Emitter {
  listenerCount(type: string): number
  readonly readyState: number
  readonly protocol: string
  readonly bufferedAmount: number
  readonly _closeFrameReceived?: boolean
  /** A text in version 7. */
  readonly _closeMessage?: unknown
  send(...args: unknown[]): void
  close(...args: unknown[]): void
  terminate(): void
}

/** The members of the answer to an upgrade request that are used. */
interface Response {
  readonly statusCode?: number
  readonly headers?: Readonly<Record<string, string | undefined>>
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
 * Traces a `ws` client by wrapping the socket's methods. Each wrapper calls the original with the same arguments. No
 * listener is registered on the socket.
 */
export function traceEmitter(webSocket: WebSocketLike, connection: ClientConnection): void {
  const socket = webSocket as unknown as WsClient
  const { emit, send, close, terminate } = socket
  const flushPoller = new FlushPoller()
  const plain = usesPlainEmit(socket)
  /** The message that is being sent in fragments. */
  let partial: { readonly binary: boolean; readonly size: number; readonly span: Span | undefined } | undefined
  let failure: unknown
  /** Close code that stands for the error of the protocol that this side found. */
  let failedCode: number | undefined
  let terminated = false
  let isOpen = socket.readyState === OPEN
  let status: number | undefined

  function emitMessage(process: ClientProcess, own: WsClient, data: unknown, binary: unknown): boolean {
    return plain && process.timed
      ? dispatch(process, own, 'message', data, binary)
      : emit.call(own, 'message', data, binary)
  }

  /** Version 7 of `ws`, which some libraries depend on, passes no flag: text messages are strings. */
  function emitVersion7(own: WsClient, a: unknown): boolean {
    const isBinary = typeof a !== 'string'
    const data = isBinary ? a : extractContext(connection, a)
    const process = connection.startReceive(data, isBinary, sizeOf(data))
    if (process === undefined) return emit.call(own, 'message', data)
    return runProcess(process, () => emit.call(own, 'message', data), undefined, undefined, undefined)
  }

  const hasOffered = completeOffer(socket)

  function acceptTerms(response: Response): void {
    const id = parseAcceptHeader(response.headers?.[PROTOCOL_NAME])
    if (id !== undefined && hasOffered) connection.messages?.acceptTerms(id)
  }

  const methods = {
    emit(this: WsClient, type: string, a?: unknown, b?: unknown): boolean {
      switch (type) {
        case 'upgrade':
          status = statusOf(a)
          acceptTerms(a as Response)
          break
        case 'unexpected-response':
          connection.failed('rejected', rejection(b))
          break
        case 'open':
          isOpen = true
          connection.opened(this.protocol, { [ATTR_HTTP_RESPONSE_STATUS_CODE]: status })
          break
        case 'message':
          if (typeof b === 'boolean' && arguments.length === 3) {
            if (!b && connection.messages?.helloReceived(helloOf(a))) {
              send.call(this, CONFIRMATION)
              return this.listenerCount('message') > 0
            }
            const data = b ? a : extractContext(connection, a)
            const process = connection.startReceive(data, b, sizeOf(data))
            if (process === undefined) return emit.call(this, 'message', data, b)
            return runProcess(process, emitMessage, this, data, b)
          }
          if (arguments.length === 2 && typeof this._closeMessage === 'string') return emitVersion7(this, a)
          break
        case 'error':
          if (!isOpen) failure = a
          else failedCode ??= closeCodeOf(a)
          break
        case 'close':
          try {
            return emit.apply(this, arguments as unknown as [string])
          } finally {
            if (partial !== undefined) connection.sendFailed(partial.span, new Error('closed within a message'))
            partial = undefined
            if (failure !== undefined) connection.failed('failed', undefined, failure)
            flushPoller.end()
            const received = this._closeFrameReceived ?? a !== 1006
            connection.close({
              received: received ? (a as number) : undefined,
              failed: failedCode,
              terminated,
              reason: String(b ?? ''),
            })
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
        connection.sendSkipped(data, binary, size)
        return
      }
      const before = partial
      const total = (before?.size ?? 0) + size
      const isLast = settings?.fin !== false
      // A fragmented message has no single payload to read a name from.
      const span = before === undefined ? connection.startSend(isLast ? data : undefined, binary, total) : before.span
      // The first fragment that is not empty carries the context.
      if (!binary && total === size) args[0] = injectContext(connection, data, span, !isLast)
      partial = isLast ? undefined : { binary, size: total, span }
      if (!isLast) {
        send.apply(this, args)
        return
      }
      if (before !== undefined) setAttribute(span, ATTR_WEBSOCKET_MESSAGE_SIZE, total)
      const given = args.at(-1)
      if (typeof given === 'function' && args.length > 1) {
        args[args.length - 1] = function (this: unknown, error: unknown): void {
          transmitted(connection, span, error)
          given.apply(this, arguments)
        }
      }
      try {
        send.apply(this, args)
      } catch (error) {
        connection.sendFailed(span, error)
        throw error
      }
      connection.sendAccepted(span, binary, total)
      if (span === undefined || args.at(-1) !== given) return
      if (this.bufferedAmount === 0) connection.end(span)
      else flushPoller.add(this, () => connection.end(span))
    },

    close(this: WsClient, code?: number, reason?: unknown): void {
      const first = this.readyState <= OPEN && this._closeFrameReceived !== true
      close.apply(this, arguments as unknown as unknown[])
      if (first) connection.closeFrameSent(code, reason === undefined ? undefined : String(reason))
    },

    terminate(this: WsClient): void {
      terminated = true
      connection.closeCalled()
      connection.failed('abandoned')
      terminate.call(this)
    },
  }
  for (const [name, method] of Object.entries(methods)) wrapMethod(socket, name, method)
}

function statusOf(response: unknown): number | undefined {
  return (response as Response | undefined)?.statusCode
}

/** Attributes of a rejected request's response. */
function rejection(response: unknown): Attributes {
  const status = statusOf(response)
  return { [ATTR_HTTP_RESPONSE_STATUS_CODE]: status, [ATTR_ERROR_TYPE]: String(status) }
}

const { Buffer: bytes } = globalThis as unknown as { Buffer: { byteLength(text: string): number } }

/** Payload size in bytes; UTF-8 for text. */
function sizeOf(data: unknown): number {
  if (typeof data === 'number') return String(data).length
  if (Array.isArray(data)) return data.reduce((sum: number, part) => sum + sizeOf(part), 0)
  if (typeof data === 'string') return bytes.byteLength(data)
  return sizeOfOne(data)
}

/** The text of a payload that is short enough for the server's hello message. */
function helloOf(data: unknown): string | undefined {
  const bytes = data instanceof Uint8Array || data instanceof ArrayBuffer ? data : undefined
  return bytes === undefined || bytes.byteLength > 64 ? undefined : new TextDecoder().decode(bytes)
}

/** Extracts the context from a received text, in any form that `ws` emits it. */
function extractContext(connection: ClientConnection, data: unknown): unknown {
  const { messages } = connection
  const terms = messages?.terms
  const text = terms && textPayload(data)
  if (!text) return data
  const found = jsonMember(terms.member.name).extract(text)
  if (found?.carrier === undefined && messages?.findForeignContext(text)) return data
  if (found === undefined) return data
  messages?.findContext(found)
  return found.carrier === undefined ? data : found.payload
}

/** Injects the context of a message into its text, or into its first fragment. */
function injectContext(connection: ClientConnection, data: unknown, span: Span | undefined, partial: boolean): unknown {
  const { messages } = connection
  const terms = messages?.terms
  const text = terms && textPayload(data)
  if (text === undefined) return data
  const inSlot = partial ? undefined : messages?.intoSlot(text, messages.carrier(span))
  if (inSlot !== undefined) return inSlot
  const member = jsonMember(terms?.member.name)
  return member.canCarry(text) ? member.inject(data, text, messages?.carrier(span), partial) : data
}

/** Handles the callback of a send: the message was written, or could not be. */
function transmitted(connection: ClientConnection, span: Span | undefined, error: unknown): void {
  if (error === undefined || error === null) {
    connection.end(span)
    return
  }
  connection.series?.missed('error')
  connection.sendFailed(span, error)
}

/** The `traceparent` that a client's upgrade request has been given, while it is under way. */
export function traceparentOf(socket: object): string | undefined {
  return requestHeader(socket, 'traceparent')
}

/** The members of Node's `http.ClientRequest` that are used, one of them private. */
interface Request {
  getHeader(name: string): unknown
  /** What waits for the transport: first the text of the request. */
  readonly outputData?: { data: unknown }[]
}

/**
 * Completes the offer of context in messages with the key of the upgrade request, which `ws` has drawn meanwhile: the
 * offer then holds for this connection only. Node writes the request in a later turn of the event loop. If it keeps the
 * request elsewhere, or has written it, the offer stays incomplete, and servers ignore it.
 *
 * @returns true if there is an offer now
 */
function completeOffer(socket: object): boolean {
  const { _req: request } = socket as { _req?: Request | null }
  const key = request?.getHeader('sec-websocket-key')
  const [first] = request?.outputData ?? []
  if (request?.getHeader(PROTOCOL_NAME) !== INCOMPLETE_OFFER || typeof key !== 'string') return false
  if (typeof first?.data !== 'string') return false
  const line = `\r\n${PROTOCOL_NAME}: `
  const complete = first.data.replace(`${line}${INCOMPLETE_OFFER}\r\n`, `${line}${headerOffer(key)}\r\n`)
  const isCompleted = complete !== first.data
  first.data = complete
  return isCompleted
}

/** A header of a client's upgrade request, which `ws` keeps until it has been answered. */
function requestHeader(socket: object, name: string): string | undefined {
  const { _req: request } = socket as { _req?: { getHeader(name: string): unknown } | null }
  const value = request?.getHeader(name)
  return typeof value === 'string' ? value : undefined
}
