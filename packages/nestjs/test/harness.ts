import 'reflect-metadata'
import type { Type } from '@nestjs/common'
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { connectionOf, connectionSampler, WsTraceModule } from '@otel-ws/nestjs'
import {
  type BroadcastTarget,
  type Connection,
  connect,
  type EventClient,
  type EventHarness,
  type EventHost,
  type EventHostOptions,
  type EventSocket,
  socketIoClient,
} from '@otel-ws/testkit'
import { io } from 'socket.io-client'
import { type Platform, startApp } from './app.ts'

const PLACE = '/chat'

/** What the harness uses of a client on the server's side. */
interface HostSocket {
  send?(data: string): void
  emit(event: string, data?: unknown): void
  close?(code: number): void
  disconnect?(): void
  join?(room: string): void
  timeout?(milliseconds: number): HostSocket
  emitWithAck?(event: string, data?: unknown): Promise<unknown>
}

type Acknowledge = (answer: unknown) => void

/** What it uses of a gateway's server: that of `ws`, or a namespace. */
interface HostServer {
  readonly clients?: Set<HostSocket>
  emit(event: string, data?: unknown): void
  to(room: string): HostServer
  except(room: string): HostServer
}

const messageText = (event: string, data: unknown): string => JSON.stringify({ event, data })

function socketOf(platform: Platform, raw: HostSocket): EventSocket {
  if (platform === 'platform-ws') {
    return {
      raw,
      emit: (name, data) => raw.send?.(messageText(name, data)),
      ask: () => Promise.reject(new Error('platform-ws has no acknowledgements')),
      join() {},
      disconnect: () => raw.close?.(1000),
    }
  }
  return {
    raw,
    emit: (name, data) => (data === undefined ? raw.emit(name) : raw.emit(name, data)),
    async ask(name, data, timeout) {
      return (timeout === undefined ? raw : raw.timeout?.(timeout))?.emitWithAck?.(name, data)
    },
    join: (room) => raw.join?.(room),
    disconnect: () => raw.disconnect?.(),
  }
}

/** A gateway as an application would write it, with a method for each event. */
function createGateway(
  platform: Platform,
  { connection, events = {} }: EventHostOptions,
  onServer: (server: HostServer) => void,
): Type {
  class ChatGateway {
    afterInit(server: HostServer): void {
      onServer(server)
    }
  }
  const methods = ChatGateway.prototype as unknown as Record<string, unknown>
  const define = (name: string, method: (client: HostSocket, data?: unknown, ack?: Acknowledge) => unknown) => {
    Object.defineProperty(method, 'name', { value: name })
    Object.defineProperty(methods, name, { value: method, configurable: true, writable: true })
  }
  if (connection !== undefined) define('handleConnection', (client) => connection(socketOf(platform, client)))
  for (const [event, handler] of Object.entries(events)) {
    define(event, (client, data, ack) => {
      const result = handler(socketOf(platform, client), data)
      // Nest itself acknowledges with what a handler returns, but for null and undefined.
      if (ack === undefined) return result
      if (!(result instanceof Promise)) return ack(result)
      return result.then(ack)
    })
    ConnectedSocket()(methods, event, 0)
    MessageBody()(methods, event, 1)
    Ack()(methods, event, 2)
    SubscribeMessage(event)(methods, event, Object.getOwnPropertyDescriptor(methods, event) as PropertyDescriptor)
  }
  WebSocketGateway(platform === 'platform-ws' ? { path: PLACE } : { namespace: PLACE })(ChatGateway)
  return ChatGateway
}

async function start(platform: Platform, options: EventHostOptions): Promise<EventHost> {
  let server: HostServer | undefined
  const gateway = createGateway(platform, options, (made) => {
    server = made
  })
  const { telemetry } = options
  const imports = telemetry === undefined ? [] : [WsTraceModule.forRoot(telemetry)]
  const app = await startApp({ platform, gateways: [gateway], metadata: { imports } })
  return {
    connectionOf: (socket) => connectionOf(socket.raw) as Connection | undefined,
    broadcast(name, data, { room, except }: BroadcastTarget = {}) {
      for (const client of server?.clients ?? []) client.send?.(messageText(name, data))
      if (platform === 'platform-ws') return
      const all = room === undefined ? server : server?.to(room)
      const target = except === undefined ? all : all?.except(except)
      if (data === undefined) target?.emit(name)
      else target?.emit(name, data)
    },
    connect: () => (platform === 'platform-ws' ? connectWs : connectSocketIo)(app.url + PLACE),
    async shutdown() {},
    close: () => app.nest.close(),
  }
}

async function connectWs(url: string): Promise<EventClient> {
  const client = await connect(url)
  return {
    emit: (name, data) => client.send(messageText(name, data)),
    request: () => Promise.reject(new Error('platform-ws has no acknowledgements')),
    answer() {},
    async next() {
      const { event, data } = JSON.parse(await client.next()) as { event: string; data?: unknown }
      return { name: event, data }
    },
    async leave() {
      await client.close(1000)
    },
    abort: () => client.socket.terminate(),
    closed: client.closed.then(() => {}),
  }
}

function connectSocketIo(url: string): Promise<EventClient> {
  const socket = io(url, { transports: ['websocket'], reconnection: false, forceNew: true })
  return socketIoClient(socket, () => {
    const { transport } = socket.io.engine as unknown as { transport: { ws?: { terminate(): void } } }
    transport.ws?.terminate()
  })
}

function harnessOf(platform: Platform): EventHarness {
  const isWs = platform === 'platform-ws'
  return {
    name: `NestJS on ${platform}`,
    names: {
      route: PLACE,
      namespace: isWs ? undefined : PLACE,
      handshake: `${isWs ? 'GET' : 'CONNECT'} ${PLACE}`,
      ...(isWs && { longestRead: 400 }),
      onOpen: { 'code.function.name': 'ChatGateway.handleConnection' },
      onProcess: (event) => ({ 'code.function.name': `ChatGateway.${event}` }),
    },
    capabilities: {
      acks: !isWs,
      rooms: !isWs,
      rejections: 'handled',
      unknownEvents: 'told',
      shutdownAlone: false,
    },
    closes: {
      leave: { code: 1000, category: 'normal', initiator: 'remote' },
      disconnect: { code: 1000, category: 'normal', initiator: 'local' },
      abort: { code: 1006, category: 'abnormal', initiator: 'network' },
    },
    // Nest compares each client with the one before.
    keepsLast: true,
    type: 'text',
    size(_from, event, data, id) {
      if (isWs) return Buffer.byteLength(messageText(event, data))
      return Buffer.byteLength(`2${PLACE},${id ?? ''}${JSON.stringify(data === undefined ? [event] : [event, data])}`)
    },
    connectionSampler,
    start: (options) => start(platform, options),
  }
}

export const eventHarnesses: readonly EventHarness[] = [harnessOf('platform-ws'), harnessOf('platform-socket.io')]
