import type { Attributes } from '@opentelemetry/api'
import {
  ATTR_ERROR_TYPE,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  type ClientConnection,
  type ClientProcess,
  CONFIRMATION,
  closeCodeOf,
  dispatch,
  type Emitter,
  headerOffer,
  INCOMPLETE_OFFER,
  jsonMember,
  PROTOCOL_NAME,
  parseAcceptHeader,
  runProcess,
  textPayload,
  usesPlainEmit,
  wrapMethod,
} from '@otel-ws/core/client'
import { byteLength, createSend, wsPrototype } from '@otel-ws/core/node'
import { OPEN, type WebSocketLike } from './socket.ts'
import { ClientSender } from './ws-sender.ts'

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
  const isHostSend = send === wsPrototype(socket)?.send
  const sender = new ClientSender(connection, socket, isHostSend)
  const plain = usesPlainEmit(socket)
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
    const process = connection.startReceive(data, isBinary, byteLength(data))
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
            const process = connection.startReceive(data, b, byteLength(data))
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
            sender.closed()
            if (failure !== undefined) connection.failed('failed', undefined, failure)
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

    send: createSend({ send, isHostSend }, (): ClientSender => sender),

    close(this: WsClient, code?: number, reason?: unknown): unknown {
      const first = this.readyState <= OPEN && this._closeFrameReceived !== true
      const result: unknown = close.apply(this, arguments as unknown as unknown[])
      const isText = typeof reason === 'string' || reason instanceof Uint8Array
      if (first) connection.closeFrameSent(code, isText ? String(reason) : undefined)
      return result
    },

    terminate(this: WsClient): unknown {
      terminated = true
      connection.closeCalled()
      connection.failed('abandoned')
      return terminate.apply(this, arguments as never)
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
