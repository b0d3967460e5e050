import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { claimRequest, type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { override } from './override.ts'

/** The members of an upgrade request that are read; `http.IncomingMessage` has them. */
export type Request = Parameters<Telemetry['handshake']>[0]

const STATUS_LINE = /^HTTP\/1\.\d (\d{3})/

/**
 * Tells that an upgrade request was seen, once, whoever sees it first, and watches its socket for the answer.
 *
 * @param create makes the handshake; `undefined` leaves the request alone
 */
export function beginHandshake(
  request: Request,
  socket: Duplex,
  create: () => Handshake | undefined,
): Handshake | undefined {
  const known = handshakeOf(request)
  if (known !== undefined) return known
  const handshake = create()
  if (handshake === undefined) return undefined
  claimRequest(request, handshake)
  watchAnswer(socket, handshake)
  return handshake
}

/**
 * Learns the answer to an upgrade request from the first bytes that are written to its socket: whoever rejects a
 * request, the host, a hook or the application, writes a status line. The methods are taken back with the first write.
 */
function watchAnswer(socket: Duplex, handshake: Handshake): void {
  const { write, end } = socket
  const restoreWrite = override(socket, 'write', watchedWrite)
  const restoreEnd = override(socket, 'end', watchedEnd)
  socket.on('close', onClose)

  function stop(): void {
    // In reverse order: removing what was added last keeps the object in the engine's fast form.
    restoreEnd()
    restoreWrite()
    socket.removeListener('close', onClose)
  }

  function answered(chunk: unknown): void {
    const head =
      typeof chunk === 'string'
        ? chunk.slice(0, 16)
        : chunk instanceof Uint8Array
          ? Buffer.from(chunk.subarray(0, 16)).toString('latin1')
          : ''
    const status = Number(STATUS_LINE.exec(head)?.[1])
    if (!(status >= 100)) return
    // An interim answer such as 103 is followed by the real one.
    if (status < 200 && status !== 101) return
    stop()
    if (status !== 101) handshake.reject(status)
    // The server that wrote the 101 takes the connection in the same run; when none of ours did, it is another's.
    else queueMicrotask(() => handshake.accepted())
  }

  function watchedWrite(this: Duplex, chunk: unknown): boolean {
    answered(chunk)
    return write.apply(this, arguments as unknown as Parameters<Duplex['write']>)
  }

  function watchedEnd(this: Duplex, chunk?: unknown): Duplex {
    if (chunk !== undefined && typeof chunk !== 'function') answered(chunk)
    return end.apply(this, arguments as unknown as Parameters<Duplex['end']>) as unknown as Duplex
  }

  function onClose(hadError?: boolean): void {
    stop()
    handshake.abandon(hadError === true || socket.readableEnded || socket.errored != null ? 'remote' : 'local')
  }
}

/**
 * Sees the upgrade requests of an http server before its listeners do, and runs them in the handshake's context. No
 * listener is added: a server without `upgrade` listeners answers such requests as plain ones, and must go on doing so.
 *
 * @param create makes the handshake of a request; `undefined` leaves the request alone
 * @returns a function that takes the server's `emit` back
 */
export function watchUpgrades(server: EventEmitter, create: (request: Request) => Handshake | undefined): () => void {
  const { emit } = server

  function watchedEmit(this: EventEmitter, type: string | symbol, request?: Request, socket?: Duplex): boolean {
    const args = arguments as unknown as Parameters<EventEmitter['emit']>
    if (type !== 'upgrade' || socket === undefined || !asksForWebSocket(request)) return emit.apply(this, args)
    const handshake = beginHandshake(request, socket, () => create(request))
    return handshake === undefined ? emit.apply(this, args) : handshake.run(() => emit.apply(this, args))
  }

  return override(server, 'emit', watchedEmit)
}

function asksForWebSocket(request: Request | undefined): request is Request {
  const upgrade = request?.headers['upgrade']
  return typeof upgrade === 'string' && upgrade.toLowerCase() === 'websocket'
}
