import { once } from 'node:events'
import { setTimeout as delay } from 'node:timers/promises'
import type { TelemetryOptions } from '@otel-ws/ws'
import type { WebSocket } from 'ws'
import type { Service } from './service.ts'

/** Something that goes wrong. Steps are 15 seconds of the clock of the rules, and take as long as their work here. */
export interface Incident {
  readonly name: string
  /** Steps of an ordinary day before it. Default 24; rules that compare with what is usual look further back. */
  readonly before?: number
  readonly options?: TelemetryOptions
  /** One step of it. Default of what it leaves out: nothing happens. */
  readonly step: (service: Service, step: number) => Promise<void>
  readonly steps: number
  /** Alerts that fire at its end. */
  readonly alerts: readonly string[]
}

/** One step of an ordinary day. */
export async function quiet(service: Service, step: number): Promise<void> {
  if (step % 2 === 0) {
    await service.connect(4)
    await service.leave(4)
  }
  await service.say(4)
}

/** Keeps the event loop busy. */
function block(milliseconds: number): void {
  const end = performance.now() + milliseconds
  while (performance.now() < end);
}

async function ping(service: Service): Promise<void> {
  const [socket] = service.open
  if (socket === undefined) return
  const answered = once(socket, 'pong')
  socket.ping()
  await answered
}

export const incidents: readonly Incident[] = [
  {
    name: 'the identity provider is down',
    steps: 44,
    async step(service) {
      service.isLoggedOut = true
      await service.connect(6)
      await service.say(4)
    },
    alerts: ['WebSocketHandshakesFailing', 'WebSocketLoginsRejected'],
  },
  {
    name: 'all clients come back at once',
    before: 150,
    steps: 22,
    async step(service) {
      await service.leave(40, 'close')
      await service.connect(40)
      await service.say(4)
    },
    alerts: ['WebSocketReconnectStorm'],
  },
  {
    name: 'connections break',
    steps: 44,
    async step(service, step) {
      if (step % 2 === 0) {
        await service.connect(4)
        await service.leave(4, 'terminate')
      }
      await service.say(4)
    },
    alerts: ['WebSocketAbnormalCloses'],
  },
  {
    name: 'one client reads nothing',
    options: { slowConsumerBytes: 64 * 1024 },
    steps: 44,
    async step(service, step) {
      if (step === 0) {
        const [client] = await service.connect(1)
        client?.pause()
        // It stays.
        service.clients.pop()
        const socket = service.sockets.at(-1)
        // What the kernel takes is not waiting in this process.
        for (let sent = 0; sent < 64 && (socket?.bufferedAmount ?? 0) < 1024 * 1024; sent++) {
          socket?.send(Buffer.alloc(512 * 1024))
          await new Promise(setImmediate)
        }
      }
      await quiet(service, step)
    },
    alerts: ['WebSocketSlowConsumers'],
  },
  {
    name: 'the memory for what waits grows',
    options: { slowConsumerBytes: Number.MAX_SAFE_INTEGER },
    steps: 44,
    async step(service, step) {
      if (step === 0) (await service.connect(1))[0]?.pause()
      const socket = service.sockets.at(-1)
      if (step < 24) for (let part = 0; part < 8; part++) socket?.send(Buffer.alloc(512 * 1024))
      else socket?.send(Buffer.alloc(512 * 1024))
      await service.say(4)
    },
    alerts: ['WebSocketSendBufferGrows'],
  },
  {
    name: 'the event loop stalls',
    steps: 44,
    async step(service, step) {
      const answered = ping(service)
      if (step % 8 === 0) {
        // After the ping has been written, before its pong is read.
        await new Promise(setImmediate)
        block(600)
      }
      await answered
      await quiet(service, step)
    },
    alerts: ['WebSocketRoundTripsSlow'],
  },
  {
    name: 'a handler fails',
    steps: 44,
    async step(service, step) {
      service.handler = (socket, data) => {
        socket.send(data)
        throw new RangeError('out of words')
      }
      await quiet(service, step)
    },
    alerts: ['WebSocketHandlersFailing'],
  },
  {
    name: 'handlers hang',
    steps: 84,
    async step(service, step) {
      service.handler = (socket, data) => {
        socket.send(data)
        return step < 24 ? new Promise(() => {}) : undefined
      }
      await service.say(4)
    },
    alerts: ['WebSocketHandlersStuck'],
  },
  {
    name: 'a handler is slow',
    steps: 64,
    async step(service, step) {
      service.handler = async (socket, data) => {
        if (step % 10 === 0) await delay(1200)
        socket.send(data)
      }
      await quiet(service, step)
    },
    alerts: ['WebSocketHandlersSlow'],
  },
  {
    name: 'messages go to sockets that are closed',
    steps: 44,
    async step(service, step) {
      await quiet(service, step)
      const [client] = await service.connect(1)
      const socket = service.sockets.at(-1)
      client?.close()
      if (socket !== undefined) await once(socket, 'close')
      service.clients.pop()
      socket?.send('too late')
      socket?.send('too late')
    },
    alerts: ['WebSocketMessagesUndelivered'],
  },
  {
    name: 'a broadcast takes long',
    steps: 64,
    async step(service, step) {
      service.handler = (socket, data) => {
        if (step % 10 === 0) {
          // What the application does between two sends is part of the fan-out.
          service.open[0]?.send('news')
          block(300)
          service.open[1]?.send('news')
        }
        socket.send(data)
      }
      await service.say(1)
    },
    alerts: ['WebSocketFanoutSlow'],
  },
  {
    name: 'another node is late',
    steps: 44,
    async step(service, step) {
      await quiet(service, step)
      const carrier = { sentAt: Date.now() - 2_000 }
      service.telemetry.startDelivery({ route: '/news' }, 'news', carrier)?.run((delivery) => {
        delivery.encoded(false, 4)
        delivery.fanoutCompleted()
      })
    },
    alerts: ['WebSocketNodesLag'],
  },
  {
    name: 'peers are gone without a word',
    options: { heartbeatInterval: 20, heartbeatTimeout: 20, heartbeatTerminate: true },
    steps: 44,
    async step(service, step) {
      await service.say(4)
      if (step % 2 === 1) return
      const gone = await service.connect(1, { autoPong: false })
      // The heartbeat may have been faster.
      const closed = (client: WebSocket) => client.readyState === client.CLOSED || once(client, 'close')
      await Promise.all(gone.map(closed))
      for (const client of gone) service.clients.splice(service.clients.indexOf(client), 1)
    },
    alerts: ['WebSocketPingsMissed'],
  },
  {
    name: 'a client floods',
    options: { maxMessageSpansPerSecond: 1 },
    steps: 64,
    async step(service, step) {
      await quiet(service, step)
      for (let sent = 0; sent < 8; sent++) await service.say(4)
    },
    alerts: ['WebSocketSpansDropped'],
  },
  {
    name: 'nothing feeds the connections',
    before: 150,
    steps: 44,
    step: async () => {},
    alerts: ['WebSocketNoTraffic'],
  },
  {
    name: 'the server of a client is killed',
    steps: 44,
    async step(service, step) {
      await quiet(service, step)
      // Nothing listens on this port of the loopback interface.
      await service.connect(2, { traced: true, url: 'ws://127.0.0.1:9/' })
    },
    alerts: ['WebSocketClientsCannotConnect'],
  },
  {
    name: 'a procedure fails',
    options: { protocol: 'json-rpc' },
    steps: 44,
    async step(service, step) {
      service.handler = (socket, data) => {
        if (data === 'hello') socket.send(data)
        else socket.send('{"jsonrpc":"2.0","id":1,"error":{"code":-32000,"message":"no"}}')
      }
      await quiet(service, step)
      await Promise.all(
        service.clients.slice(0, 4).map(async (client) => {
          const answered = once(client, 'message')
          client.send('{"jsonrpc":"2.0","id":1,"method":"order.place"}')
          await answered
        }),
      )
    },
    alerts: ['WebSocketOperationsFailing'],
  },
]
