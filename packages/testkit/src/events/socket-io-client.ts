import { Queue } from '@otel-ws/testing'
import type { Socket } from 'socket.io-client'
import type { Carrier, EventClient, EventConnectOptions, ReceivedEvent } from './harness.ts'

/** The members of an Engine.IO client that are used here. */
interface Engine {
  readonly transport: {
    readonly name: string
    readonly ws?: { terminate(): void; pause(): void; ping(): void; once(event: 'pong', listener: () => void): void }
  }
  once(event: 'drain', listener: () => void): void
  close(): unknown
  _sendPacket(type: string): void
}

/** Options of `socket.io-client` that make a client offer context in messages and send headers. */
export function socketIoOptions(
  url: string,
  { offer, headers }: EventConnectOptions = {},
): {
  readonly query: Record<string, string>
  readonly extraHeaders: Record<string, string>
} {
  return {
    query: offer === undefined ? {} : { 'otel-ws': `${offer};host=${new URL(url).host}` },
    extraHeaders: { ...headers },
  }
}

/** Resolves with a client of the suites once this socket of `socket.io-client` has connected; rejects when it cannot. */
export async function socketIoClient(socket: Socket, { signal }: EventConnectOptions = {}): Promise<EventClient> {
  const events = new Queue<ReceivedEvent>('event')
  const answers = new Map<string, (data: unknown) => unknown>()
  let agreement: string | undefined
  /** Kept apart, since an engine that gives up forgets its WebSocket. */
  let frozen: Engine['transport']['ws']
  const closed = new Promise<void>((resolve) => socket.once('disconnect', () => resolve()))
  socket.once('disconnect', (reason) => events.end(new Error(`disconnected while an event was awaited: ${reason}`)))
  socket.io.on('packet', ({ type, nsp, data }: { type: unknown; nsp?: string; data?: { _otel?: { id?: string } } }) => {
    if (type === 0 && nsp === (socket as unknown as { nsp: string }).nsp) agreement = data?._otel?.id
  })
  socket.onAny(async (name: string, ...args: unknown[]) => {
    const answer = answers.get(name)
    const acknowledge = answer && (args.pop() as (value: unknown) => void)
    const carrier = takeCarrier(args)
    const [data] = args
    if (acknowledge === undefined) events.push({ name, data, ...(carrier && { carrier }) })
    else acknowledge(await answer?.(data))
  })
  signal?.addEventListener('abort', () => socket.disconnect())
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve)
    socket.once('connect_error', reject)
  })
  if (agreement !== undefined) await confirmContext(socket)
  const engine = (): Engine => socket.io.engine as unknown as Engine
  const args = (data: unknown, carrier?: Carrier): unknown[] => [
    ...(data === undefined ? [] : [data]),
    ...(carrier === undefined ? [] : [{ _otel: carrier }]),
  ]
  return {
    raw: socket,
    get agreement() {
      return agreement
    },
    emit: (name, data, carrier) => void socket.emit(name, ...args(data, carrier)),
    request: (name, data) => socket.emitWithAck(name, ...args(data)),
    answer: (name, answer) => void answers.set(name, answer),
    next: () => events.next(),
    async leave() {
      socket.disconnect()
      await closed
    },
    abort() {
      const { transport } = engine()
      frozen?.terminate()
      // A client cannot cut polling: its engine sends a packet that it closes.
      if (transport.name === 'websocket') transport.ws?.terminate()
      else engine().close()
    },
    freeze() {
      const own = engine()
      frozen = own.transport.ws
      // Over polling the pings are read and not answered.
      if (frozen === undefined) own._sendPacket = () => {}
      else frozen.pause()
    },
    closed,
  }
}

/** Confirms context in messages. Resolves when the server has read it, so that what it sends later carries context. */
export async function confirmContext(socket: Socket): Promise<void> {
  const engine = socket.io.engine as unknown as Engine
  const { ws } = engine.transport
  socket.emit('_otel', { v: 1 })
  await new Promise<void>((resolve) => {
    if (ws === undefined) engine.once('drain', resolve)
    else {
      ws.once('pong', resolve)
      ws.ping()
    }
  })
}

/** Takes the carrier off the end of an event's arguments, if there is one. */
function takeCarrier(args: unknown[]): Carrier | undefined {
  const last = args.at(-1)
  if (typeof last !== 'object' || last === null || !('_otel' in last) || Object.keys(last).length !== 1)
    return undefined
  args.pop()
  return last._otel as Carrier
}
