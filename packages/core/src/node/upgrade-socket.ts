import type { Handshake } from '../handshake/handshake.ts'
import { handshakeOf, storeHandshake } from '../handshake/store.ts'
import type { UpgradeRequest } from '../options/types.ts'
import { copySignature, hiddenProperty } from './wrap-method.ts'

/** The members of a `stream.Duplex` that are used. */
export interface UpgradeSocket {
  readonly readableEnded: boolean
  readonly errored: Error | null
  on(type: 'close', listener: (hadError?: boolean) => void): unknown
  removeListener(type: 'close', listener: (hadError?: boolean) => void): unknown
}

type Write = (this: UpgradeSocket, ...args: unknown[]) => unknown

interface Writer {
  write: Write
  end: Write
}

const STATUS_LINE = /^HTTP\/1\.\d (\d{3})/

/**
 * Starts the handshake of an upgrade request that a server has been given, unless another adapter has started it, and
 * watches its socket for the answer. One that was unclaimed until now is replaced.
 *
 * @param create creates the handshake; `undefined` leaves the request alone
 */
export function startHandshake(
  request: UpgradeRequest,
  socket: UpgradeSocket,
  create: () => Handshake | undefined,
): Handshake | undefined {
  const known = handshakeOf(request)
  if (known !== undefined && !known.unclaimed) return known
  const handshake = known?.outcome === undefined ? create() : undefined
  if (handshake === undefined) {
    known?.discard()
    return undefined
  }
  storeHandshake(request, handshake)
  const watch = watched.get(socket)
  if (watch === undefined) watchResponse(socket, handshake)
  else watch.handshake = handshake
  return handshake
}

/**
 * Watches an upgrade request that no server has been given yet, unless its handshake has been started.
 *
 * @param create creates an unclaimed handshake; `undefined` leaves the request alone
 */
export function watchUpgrade(
  request: UpgradeRequest,
  socket: UpgradeSocket,
  create: () => Handshake | undefined,
): Handshake | undefined {
  if (handshakeOf(request) !== undefined) return undefined
  const handshake = create()
  if (handshake === undefined) return undefined
  storeHandshake(request, handshake)
  watchResponse(socket, handshake)
  return handshake
}

/** A socket that has no answer yet. */
interface Watch {
  handshake: Handshake
  onAnswer(chunk: unknown): void
}

const watched = new WeakMap<UpgradeSocket, Watch>()

/** Wrappers of `write` and `end` by class of sockets: created once, not per socket. */
const watchers = new WeakMap<object, Writer>()

/**
 * Reads the answer to an upgrade request from the first bytes that are written to its socket: the host, a hook or the
 * application rejects a request by writing a status line. After that write the socket has its original methods again, as
 * own properties: removing a property, or changing a prototype, would turn the socket into an object that V8 keeps in a
 * slower and larger form for life.
 */
function watchResponse(socket: UpgradeSocket, handshake: Handshake): void {
  const own = Object.getPrototypeOf(socket) as Writer
  const host = socket as UpgradeSocket & Writer
  const watcher = watcherOf(own)

  function stop(): void {
    watched.delete(socket)
    if (host.write === watcher.write) host.write = own.write
    if (host.end === watcher.end) host.end = own.end
    socket.removeListener('close', onClose)
  }

  function onAnswer(chunk: unknown): void {
    const status = statusOf(chunk)
    // An interim answer such as 103 is followed by the real one.
    if (status === undefined || (status < 200 && status !== 101)) return
    stop()
    if (status !== 101) watch.handshake.reject(status)
    // A traced server accepts the connection in the run that writes the 101; otherwise the server is not traced.
    else queueMicrotask(() => watch.handshake.acceptedElsewhere())
  }

  function onClose(hadError?: boolean): void {
    stop()
    watch.handshake.abandon(hadError === true || socket.readableEnded || socket.errored != null ? 'remote' : 'local')
  }

  const watch: Watch = { handshake, onAnswer }
  watched.set(socket, watch)
  socket.on('close', onClose)
  // Own methods of the socket are left alone: the outcome is then found at its close.
  if (!Object.hasOwn(socket, 'write')) Object.defineProperty(socket, 'write', hiddenProperty(watcher.write))
  if (!Object.hasOwn(socket, 'end')) Object.defineProperty(socket, 'end', hiddenProperty(watcher.end))
}

function statusOf(chunk: unknown): number | undefined {
  const head =
    typeof chunk === 'string'
      ? chunk.slice(0, 16)
      : chunk instanceof Uint8Array
        ? String.fromCharCode(...chunk.subarray(0, 16))
        : ''
  const match = STATUS_LINE.exec(head)
  return match === null ? undefined : Number(match[1])
}

function watcherOf(prototype: Writer): Writer {
  const known = watchers.get(prototype)
  if (known !== undefined) return known

  function write(this: UpgradeSocket, ...args: unknown[]): unknown {
    watched.get(this)?.onAnswer(args[0])
    return prototype.write.apply(this, args)
  }

  function end(this: UpgradeSocket, ...args: unknown[]): unknown {
    const [chunk] = args
    if (chunk !== undefined && typeof chunk !== 'function') watched.get(this)?.onAnswer(chunk)
    return prototype.end.apply(this, args)
  }

  const watcher: Writer = { write: copySignature(write, prototype.write), end: copySignature(end, prototype.end) }
  watchers.set(prototype, watcher)
  return watcher
}
