import 'reflect-metadata'
import type { Type } from '@nestjs/common'
import { Ack, ConnectedSocket, MessageBody, SubscribeMessage, WebSocketGateway } from '@nestjs/websockets'
import { connectionOf, connectionSampler, WsTraceModule } from '@otel-ws/nestjs'
import {
  type BroadcastTarget,
  type Connection,
  type EventClient,
  type EventConnectOptions,
  type EventHarness,
  type EventHost,
  type EventHostOptions,
  type EventSocket,
  eventText,
  jsonEventClient,
  kindOf,
  OPCODE,
  type RawClient,
  rawConnect,
  socketIoClient,
  socketIoOptions,
  wsHostSocket,
} from '@otel-ws/testkit'
import { io } from 'socket.io-client'
import type { ServerOptions, WebSocket } from 'ws'
import { type Platform, startApp } from './app.ts'

const PLACE = '/chat'

/** The members of a client on the server's side that the harness uses. */
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

/** The members that it uses of a gateway's server, which is a server of `ws` or a namespace. */
interface HostServer {
  use(middleware: (socket: object, next: (error?: Error) => void) => void): void
  readonly clients?: Set<HostSocket>
  emit(event: string, data?: unknown): void
  to(room: string): HostServer
  except(room: string): HostServer
}

function socketOf(platform: Platform, raw: HostSocket): EventSocket {
  if (platform === 'platform-ws') {
    return {
      raw,
      emit: (name, data) => raw.send?.(eventText(name, data)),
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
function createGateway(platform: Platform, options: EventHostOptions, onServer: (server: HostServer) => void): Type {
  const { connection, authorize, events = {} } = options
  class ChatGateway {
    afterInit(server: HostServer): void {
      onServer(server)
      if (authorize === undefined || platform === 'platform-ws') return
      server.use((_socket, next) => {
        new Promise((resolve) => resolve(authorize())).then(() => next(), next)
      })
    }
  }
  const methods = ChatGateway.prototype as unknown as Record<string, unknown>
  const define = (name: string, method: (client: HostSocket, data?: unknown, ack?: Acknowledge) => unknown) => {
    Object.defineProperty(method, 'name', { value: name })
    Object.defineProperty(methods, name, { value: method, configurable: true, writable: true })
  }
  if (connection !== undefined)
    define(
      'handleConnection',
      kindOf(connection, (client: HostSocket) => connection(socketOf(platform, client))),
    )
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
  WebSocketGateway(platform === 'platform-ws' ? wsOptions(options) : socketIoServerOptions(options))(ChatGateway)
  return ChatGateway
}

function wsOptions({ authorize, maxMessageSize }: EventHostOptions): ServerOptions {
  return {
    path: PLACE,
    ...(maxMessageSize !== undefined && { maxPayload: maxMessageSize }),
    ...(authorize !== undefined && {
      verifyClient(_info, answer) {
        new Promise((resolve) => resolve(authorize())).then(
          () => answer(true),
          () => answer(false, 403),
        )
      },
    }),
  }
}

function socketIoServerOptions({ maxMessageSize, heartbeat }: EventHostOptions): object {
  return {
    namespace: PLACE,
    ...(maxMessageSize !== undefined && { maxHttpBufferSize: maxMessageSize }),
    ...(heartbeat !== undefined && { pingInterval: heartbeat.interval, pingTimeout: heartbeat.timeout }),
  }
}

/** Options of the adapter. On `platform-ws` they include the heartbeat, which Socket.IO has itself. */
function telemetryOptions(platform: Platform, { telemetry, heartbeat }: EventHostOptions): object | undefined {
  if (telemetry === undefined || heartbeat === undefined || platform !== 'platform-ws') return telemetry
  return {
    ...telemetry,
    heartbeatInterval: heartbeat.interval,
    heartbeatTimeout: heartbeat.timeout,
    heartbeatTerminate: true,
  }
}

async function start(platform: Platform, options: EventHostOptions): Promise<EventHost> {
  let server: HostServer | undefined
  const gateway = createGateway(platform, options, (made) => {
    server = made
  })
  const telemetry = telemetryOptions(platform, options)
  const imports = telemetry === undefined ? [] : [WsTraceModule.forRoot(telemetry)]
  const app = await startApp({ platform, gateways: [gateway], metadata: { imports } })
  return {
    connectionOf: (socket) => connectionOf(socket.raw) as Connection | undefined,
    broadcast(name, data, { room, except }: BroadcastTarget = {}) {
      for (const client of server?.clients ?? []) client.send?.(eventText(name, data))
      if (platform === 'platform-ws') return
      const all = room === undefined ? server : server?.to(room)
      const target = except === undefined ? all : all?.except(except)
      if (data === undefined) target?.emit(name)
      else target?.emit(name, data)
    },
    connect: (clientOptions) => {
      const url = app.url + PLACE
      return platform === 'platform-ws' ? jsonEventClient(url, clientOptions) : connectSocketIo(url, clientOptions)
    },
    rawConnect: () => (platform === 'platform-ws' ? rawConnect(app.url + PLACE) : connectByHand(app.url)),
    async shutdown() {},
    close: () => app.nest.close(),
  }
}

function connectSocketIo(url: string, options: EventConnectOptions | undefined): Promise<EventClient> {
  const socket = io(url, {
    transports: ['websocket'],
    reconnection: false,
    forceNew: true,
    ...socketIoOptions(url, options),
  })
  return socketIoClient(socket, options)
}

/** Joins the namespace with the packets of Engine.IO and Socket.IO. */
async function connectByHand(url: string): Promise<RawClient> {
  const client = await rawConnect(`${url.replace('http', 'ws')}/socket.io/?EIO=4&transport=websocket`)
  await client.nextFrame()
  client.send(OPCODE.text, `40${PLACE},`)
  await client.nextFrame()
  return client
}

/** What Socket.IO adds to the names of a gateway. */
const socketIoNames = {
  abandoned: { 'websocket.close.initiator': 'remote' },
  below: ['GET /socket.io'],
  heartbeatRoute: '/socket.io',
}

function harnessOf(platform: Platform): EventHarness {
  const isWs = platform === 'platform-ws'
  return {
    name: `NestJS on ${platform}`,
    names: {
      route: PLACE,
      namespace: isWs ? undefined : PLACE,
      handshake: `${isWs ? 'GET' : 'CONNECT'} ${PLACE}`,
      rejected: isWs ? { 'http.response.status_code': 403 } : { 'error.type': 'Forbidden' },
      ...(isWs ? { longestRead: 400 } : socketIoNames),
      onOpen: { 'code.function.name': 'ChatGateway.handleConnection' },
      onProcess: (event) => ({ 'code.function.name': `ChatGateway.${event}` }),
    },
    capabilities: {
      acks: !isWs,
      rooms: !isWs,
      eventErrors: 'handled',
      connectionErrors: 'crash',
      seesAnswers: true,
      unknownEvents: 'other',
      heartbeats: isWs ? 'option' : 'host',
      frames: true,
      shutdownAlone: false,
    },
    closes: {
      leave: { code: 1000, category: 'normal', initiator: 'remote' },
      disconnect: { code: 1000, category: 'normal', initiator: 'local' },
      abort: { code: 1006, category: 'abnormal', initiator: 'network' },
    },
    ...(isWs && { hostSocket: ({ raw }) => wsHostSocket(raw as WebSocket) }),
    // Nest compares each client with the one before.
    keepsLast: true,
    type: 'text',
    size(_from, event, data, id) {
      if (isWs) return Buffer.byteLength(eventText(event, data))
      return Buffer.byteLength(`2${PLACE},${id ?? ''}${JSON.stringify(data === undefined ? [event] : [event, data])}`)
    },
    connectionSampler,
    start: (options) => start(platform, options),
  }
}

export const eventHarnesses: readonly EventHarness[] = [harnessOf('platform-ws'), harnessOf('platform-socket.io')]
