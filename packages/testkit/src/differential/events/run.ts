import type { EventClient, EventHarness, EventHost, EventSocket } from '../../events/harness.ts'
import { turns } from '../../shared/turns.ts'
import { type Log, type Logs, recordLogs } from '../log.ts'
import type { Options } from '../property.ts'
import { type EventBehaviour, type EventScript, type EventStep, NAMES } from './script.ts'

/** Runs a script on a host of events. Returns the log of each part. */
export async function runEventScript(harness: EventHarness, script: EventScript, telemetry: Options): Promise<Logs> {
  return recordLogs(async (log) => {
    const run = new EventRun(script, harness.capabilities.acks, log)
    const host = await harness.start({ telemetry, connection: run.connected, events: run.handlers() })
    try {
      await run.perform(host)
    } finally {
      run.abort()
      await host.close()
      await host.shutdown()
    }
  })
}

/** One client of a script. */
interface Visitor {
  readonly part: string
  readonly client: EventClient
  readonly socket: EventSocket
  isHere: boolean
}

class EventRun {
  readonly log: Log
  readonly #script: EventScript
  readonly #hasAcks: boolean
  readonly #visitors: Visitor[] = []
  readonly #sockets: EventSocket[] = []
  #host: EventHost | undefined
  #barriers = 0

  constructor(script: EventScript, hasAcks: boolean, log: Log) {
    this.log = log
    this.#script = script
    this.#hasAcks = hasAcks
  }

  /** The application's handler of connections. */
  readonly connected = (socket: EventSocket): void => {
    this.#sockets.push(socket)
    if (this.#script.greets) socket.emit('welcome', this.#sockets.length)
    if (this.#sockets.length === 2) socket.join('room')
  }

  /** The application's handlers of events. */
  handlers(): Record<string, (socket: EventSocket, data: unknown) => unknown> {
    const handlers: Record<string, (socket: EventSocket, data: unknown) => unknown> = {
      sync: (socket, n) => socket.emit('synced', n),
    }
    for (const name of NAMES) {
      const act = actions[this.#script.handlers[name]]
      const note = (socket: EventSocket, data: unknown): void =>
        this.log.add(`server ${this.#indexOf(socket)}`, name, data)
      handlers[name] =
        act.constructor === turns.constructor
          ? async (socket, data) => {
              note(socket, data)
              return act(socket, data, this.#host as EventHost, this.log)
            }
          : (socket, data) => {
              note(socket, data)
              return act(socket, data, this.#host as EventHost, this.log)
            }
    }
    return handlers
  }

  #indexOf({ raw }: EventSocket): number {
    return this.#sockets.findIndex((socket) => socket.raw === raw)
  }

  async perform(host: EventHost): Promise<void> {
    this.#host = host
    for (let n = 0; n < this.#script.clients; n++) {
      const client = await host.connect()
      while (this.#sockets.length <= n) await turns(1)
      if (this.#hasAcks) client.answer('question', (data) => [data, 'answered'])
      this.#visitors.push({ part: `client ${n}`, client, socket: this.#sockets[n] as EventSocket, isHere: true })
    }
    for (const step of this.#script.steps) {
      const visitor = this.#visitors[step.at % this.#visitors.length] as Visitor
      await this.#perform(visitor, step)
      await this.#settle(visitor)
    }
    for (const visitor of this.#visitors) await this.#settle(visitor)
  }

  abort(): void {
    for (const { client } of this.#visitors) client.abort()
  }

  async #settle(visitor: Visitor): Promise<void> {
    await this.#barrier(visitor)
    await turns(8)
    await this.#barrier(visitor)
  }

  /** Waits until both ends have read what the other has written. */
  async #barrier(visitor: Visitor): Promise<void> {
    if (!visitor.isHere) return
    const n = this.#barriers++
    visitor.client.emit('sync', n)
    for (;;) {
      const event = await visitor.client.next().catch(() => undefined)
      if (event === undefined) {
        visitor.isHere = false
        await visitor.client.closed
        await turns(8)
        this.log.add(visitor.part, 'gone')
        return
      }
      if (event.name === 'synced' && event.data === n) return
      this.log.add(visitor.part, event.name, event.data)
    }
  }

  async #perform(visitor: Visitor, step: EventStep): Promise<void> {
    const { client, socket, part } = visitor
    const { log } = this
    switch (step.do) {
      case 'client emits':
        if (visitor.isHere) for (const { name, data } of step.events) client.emit(name, data)
        break
      case 'client asks':
        // Whether it is answered depends on the handler: an answer comes before that of the barrier, or never.
        if (visitor.isHere) {
          void client.request(step.name, step.data).then(
            (answer) => log.add(`${part} answers`, answer),
            () => {},
          )
        }
        break
      case 'server emits':
        this.#call(part, 'emit', () => socket.emit(step.name, step.data))
        break
      case 'server asks': {
        const answered = socket.ask('question', step.data, visitor.isHere ? undefined : 5).then(
          (answer) => log.add(`${part} answered`, answer),
          (error) => log.add(`${part} answered`, error),
        )
        if (!visitor.isHere) await answered
        break
      }
      case 'server broadcasts':
        this.#call('broadcasts', 'broadcast', () =>
          this.#host?.broadcast('news', step.data, {
            ...(step.room && { room: 'room' }),
            ...(step.except && { except: 'room' }),
          }),
        )
        break
      case 'client leaves':
        if (visitor.isHere) await client.leave()
        break
      case 'client aborts':
        if (visitor.isHere) client.abort()
        break
      case 'server disconnects':
        this.#call(part, 'disconnect', () => socket.disconnect())
        break
      case 'look':
        log.add(part, Object.keys(socket.raw).sort())
    }
  }

  #call(part: string, method: string, call: () => unknown): void {
    try {
      this.log.add(part, method, 'returned', call())
    } catch (error) {
      this.log.add(part, method, 'threw', error)
    }
  }
}

type Action = (socket: EventSocket, data: unknown, host: EventHost, log: Log) => unknown

const actions: Readonly<Record<EventBehaviour, Action>> = {
  return: (_, data) => ['answer', data ?? null],
  async 'return later'(_, data) {
    await turns(2)
    return ['later', data ?? null]
  },
  'return nothing': () => undefined,
  emit: (socket, data) => socket.emit('said', data),
  async 'emit later'(socket, data) {
    await turns(2)
    socket.emit('said later', data)
  },
  'emit twice'(socket, data) {
    socket.emit('one', data)
    socket.emit('two')
  },
  broadcast: (_, data, host) => host.broadcast('all', data),
  'broadcast to a room': (_, data, host) => host.broadcast('room', data, { room: 'room', except: 'other' }),
  join: (socket) => socket.join('room'),
  async ask(socket, data) {
    return [await socket.ask('question', data)]
  },
  async reject() {
    await turns(1)
    throw new RangeError('rejected by a handler')
  },
  disconnect: (socket) => socket.disconnect(),
}
