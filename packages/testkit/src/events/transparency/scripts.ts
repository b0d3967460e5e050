import { AsyncLocalStorage } from 'node:async_hooks'
import { turns } from '../../shared/turns.ts'
import { withProcessErrors } from '../../testing/process-errors.ts'
import type { EventCapabilities, EventClient, EventSocket } from '../harness.ts'
import type { EventStage } from './stage.ts'

interface EventScript {
  /** Capability without which the script is left out. */
  readonly needs?: keyof EventCapabilities
  script(stage: EventStage): Promise<void>
}

const values: readonly unknown[] = [
  'text',
  '',
  0,
  1.5,
  true,
  null,
  [],
  [1, [2]],
  {},
  { a: { b: ['\u00e4', '\u{1f600}'] } },
]

async function received(client: EventClient, count: number): Promise<unknown[]> {
  const events: unknown[] = []
  for (let n = 0; n < count; n++) events.push(await client.next())
  return events
}

/** Each runs on the bare host and again with telemetry; what they log must be equal. */
export const eventScripts: Readonly<Record<string, EventScript>> = {
  'what handlers are given and clients receive': {
    async script({ serve, connect, log }) {
      const host = await serve({
        events: {
          echo(socket, data) {
            log('handler', data)
            socket.emit('echo', data)
          },
        },
      })
      const client = await connect(host)
      for (const value of values) {
        client.emit('echo', value)
        log(await client.next())
      }
    },
  },

  'the order of what handlers send': {
    async script({ serve, connect, log }) {
      const host = await serve({
        connection: (socket) => socket.emit('welcome'),
        events: {
          async slow(socket, n) {
            socket.emit('slow', [n, 'begins'])
            await turns(3)
            socket.emit('slow', [n, 'ends'])
          },
          quick: (socket, n) => socket.emit('quick', n),
          all: (_, n) => host.broadcast('all', n),
        },
      })
      const client = await connect(host)
      for (const [name, n] of [
        ['slow', 1],
        ['quick', 2],
        ['all', 3],
        ['quick', 4],
      ] as const) {
        client.emit(name, n)
      }
      log(await received(client, 6))
    },
  },

  'the answers to clients that wait for one': {
    needs: 'acks',
    async script({ serve, connect, log }) {
      const host = await serve({
        events: {
          now: (_, data) => data,
          async later(_, data) {
            await turns(2)
            return [data, data]
          },
          async ask(socket, data) {
            const answer = await socket.ask('question', data)
            log('answer', answer)
            return socket.ask('never', data, 10).catch((error: unknown) => {
              log('late', error)
              return 'gave up'
            })
          },
        },
      })
      const client = await connect(host)
      client.answer('question', (data) => `${data}?`)
      client.answer('never', () => new Promise(() => {}))
      for (const value of values) log(await client.request('now', value))
      log(await Promise.all([client.request('later', 1), client.request('now', 2)]))
      log(await client.request('ask', 'well'))
    },
  },

  'the recipients of a broadcast': {
    needs: 'rooms',
    async script({ serve, connect, log }) {
      const rooms = ['a', 'b', 'a b']
      const host = await serve({
        connection(socket) {
          for (const room of rooms.shift()?.split(' ') ?? []) socket.join(room)
        },
      })
      const clients = [await connect(host), await connect(host), await connect(host)]
      host.broadcast('all', { to: 'all' })
      host.broadcast('a', 1, { room: 'a' })
      host.broadcast('only a', 2, { room: 'a', except: 'b' })
      host.broadcast('an empty room', 3, { room: 'c' })
      host.broadcast('end')
      for (const client of clients) {
        let event = await client.next()
        for (; event.name !== 'end'; event = await client.next()) log(event)
        log('end')
      }
    },
  },

  'what a rejected handler does to the process and to others': {
    async script({ serve, connect, log }) {
      await withProcessErrors(async (errors) => {
        const host = await serve({
          events: {
            async fail() {
              await turns(1)
              throw new RangeError('rejected on purpose')
            },
            hello: (socket) => socket.emit('still here'),
          },
        })
        const client = await connect(host)
        client.emit('fail')
        await turns(20)
        client.emit('hello')
        let event = await client.next()
        for (; event.name !== 'still here'; event = await client.next()) log('received', event)
        log('process errors', errors.size, errors.size > 0 ? await errors.next() : undefined)
      })
    },
  },

  "the application's own context": {
    async script({ serve, connect, log }) {
      const storage = new AsyncLocalStorage<string>()
      const host = await serve({
        connection: (socket) =>
          storage.run('connection', () => {
            setImmediate(() => socket.emit('seen', storage.getStore() ?? 'nothing'))
          }),
        events: {
          async hello(socket) {
            const before = storage.getStore() ?? 'nothing'
            await storage.run('handler', async () => {
              await turns(1)
              socket.emit('seen', [before, storage.getStore()])
            })
            socket.emit('seen', storage.getStore() ?? 'nothing')
          },
        },
      })
      const client = await connect(host)
      log(await client.next())
      client.emit('hello')
      log(await received(client, 2))
    },
  },

  'events to clients that have gone': {
    async script({ serve, connect, log }) {
      const sockets: EventSocket[] = []
      const host = await serve({ connection: (socket) => void sockets.push(socket) })
      const [gone, here] = [await connect(host), await connect(host)]
      await gone.leave()
      await turns(5)
      const [first] = sockets
      log(first?.emit('late', 1))
      host.broadcast('news', 2)
      log(await here.next())
      first?.disconnect()
      log('disconnected twice')
    },
  },

  'the end of a connection by the server': {
    async script({ serve, connect, log }) {
      const host = await serve({ events: { bye: (socket) => socket.disconnect() } })
      const client = await connect(host)
      client.emit('bye')
      await client.closed
      log('closed')
    },
  },
}
