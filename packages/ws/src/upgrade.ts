import type { EventEmitter } from 'node:events'
import type { Duplex } from 'node:stream'
import { claimRequest, type Handshake, handshakeOf, type Telemetry } from '@otel-ws/core/adapter'
import { disguise, hidden, override } from './override.ts'

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

type Answer = (chunk: unknown) => void

/** Sockets whose answer is awaited. */
const awaited = new WeakMap<Duplex, Answer>()

interface Watcher {
  readonly write: Duplex['write']
  readonly end: Duplex['end']
}

/** For each class of sockets, methods that see the first bytes written: made once, not per socket. */
const watchers = new WeakMap<object, Watcher>()

/**
 * Learns the answer to an upgrade request from the first bytes that are written to its socket: whoever rejects a
 * request, the host, a hook or the application, writes a status line. From that write on the socket's methods are the
 * ones it had. They stay behind as properties of its own: removing a property, or changing a prototype, would turn a
 * socket into an object that some engines keep in a slower and larger form for life.
 */
function watchAnswer(socket: Duplex, handshake: Handshake): void {
  const own = Object.getPrototypeOf(socket) as Duplex
  const watcher = watcherOf(own)

  function stop(): void {
    awaited.delete(socket)
    if (socket.write === watcher.write) socket.write = own.write
    if (socket.end === watcher.end) socket.end = own.end
    socket.removeListener('close', onClose)
  }

  function onAnswer(chunk: unknown): void {
    const status = statusOf(chunk)
    // An interim answer such as 103 is followed by the real one.
    if (status === undefined || (status < 200 && status !== 101)) return
    stop()
    if (status !== 101) handshake.reject(status)
    // The server that wrote the 101 takes the connection in the same run; when none of ours did, it is another's.
    else queueMicrotask(() => handshake.accepted())
  }

  function onClose(hadError?: boolean): void {
    stop()
    handshake.abandon(hadError === true || socket.readableEnded || socket.errored != null ? 'remote' : 'local')
  }

  awaited.set(socket, onAnswer)
  socket.on('close', onClose)
  // Methods that somebody has put on the socket itself are left alone: the outcome is then told by the close.
  if (!Object.hasOwn(socket, 'write')) Object.defineProperty(socket, 'write', hidden(watcher.write))
  if (!Object.hasOwn(socket, 'end')) Object.defineProperty(socket, 'end', hidden(watcher.end))
}

function statusOf(chunk: unknown): number | undefined {
  const head =
    typeof chunk === 'string'
      ? chunk.slice(0, 16)
      : chunk instanceof Uint8Array
        ? Buffer.from(chunk.subarray(0, 16)).toString('latin1')
        : ''
  const match = STATUS_LINE.exec(head)
  return match === null ? undefined : Number(match[1])
}

function watcherOf(prototype: Duplex): Watcher {
  const known = watchers.get(prototype)
  if (known !== undefined) return known

  function write(this: Duplex, chunk: unknown): boolean {
    awaited.get(this)?.(chunk)
    return prototype.write.apply(this, arguments as unknown as Parameters<Duplex['write']>)
  }

  function end(this: Duplex, chunk?: unknown): Duplex {
    if (chunk !== undefined && typeof chunk !== 'function') awaited.get(this)?.(chunk)
    return prototype.end.apply(this, arguments as unknown as Parameters<Duplex['end']>) as unknown as Duplex
  }

  const watcher = {
    write: disguise(write, prototype.write) as Duplex['write'],
    end: disguise(end, prototype.end) as Duplex['end'],
  }
  watchers.set(prototype, watcher)
  return watcher
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
