import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectionOf, connectionSampler, traceSocketServer } from '@otel-ws/socket.io'
import {
  type BroadcastTarget,
  type Connection,
  type EventClient,
  type EventCloseCase,
  type EventConnectOptions,
  type EventHarness,
  type EventHost,
  type EventHostOptions,
  type EventSocket,
  kindOf,
  OPCODE,
  type RawClient,
  rawConnect,
  socketIoClient,
  socketIoOptions,
} from '@otel-ws/testkit'
import { Server, type Socket } from 'socket.io'
import { type Socket as ClientSocket, connect } from 'socket.io-client'
import * as msgpack from 'socket.io-msgpack-parser'

interface SetUp {
  readonly name: string
  readonly transport: 'websocket' | 'polling'
  readonly parser?: typeof msgpack
  readonly namespace: string
}

const setups: readonly SetUp[] = [
  { name: 'Socket.IO over websocket', transport: 'websocket', namespace: '/' },
  { name: 'Socket.IO over polling', transport: 'polling', namespace: '/chat' },
  { name: 'Socket.IO with msgpack', transport: 'websocket', namespace: '/chat', parser: msgpack },
]

function harnessOf(setup: SetUp): EventHarness {
  const { name, namespace, parser } = setup
  return {
    name,
    names: {
      route: namespace,
      namespace,
      handshake: `CONNECT ${namespace}`,
      rejected: { 'error.type': 'Forbidden' },
      abandoned: { 'websocket.close.initiator': 'remote' },
      below: ['GET /socket.io'],
      heartbeatRoute: '/socket.io',
    },
    capabilities: {
      acks: true,
      rooms: true,
      eventErrors: 'crash',
      connectionErrors: 'crash',
      seesAnswers: true,
      unknownEvents: 'other',
      heartbeats: 'host',
      frames: setup.transport === 'websocket' && parser === undefined,
      shutdownAlone: true,
    },
    closes: {
      leave: { code: 1000, category: 'normal', initiator: 'remote' },
      disconnect: { code: 1000, category: 'normal', initiator: 'local' },
      // A client cannot cut a polling connection: its engine always sends a close packet.
      abort:
        setup.transport === 'polling'
          ? { code: 1005, category: 'no_status', initiator: 'remote' }
          : { code: 1006, category: 'abnormal', initiator: 'network' },
    },
    closeCases: setup.transport === 'websocket' && parser === undefined ? closeCases : {},
    type: parser === undefined ? 'text' : 'binary',
    size(from, event, data, id) {
      const values = data === undefined ? [event] : [event, data]
      const text = `2${namespace === '/' ? '' : `${namespace},`}${id ?? ''}${JSON.stringify(values)}`
      if (parser === undefined) return Buffer.byteLength(text)
      // The client's packets have its flags in them.
      const options = from === 'client' ? { options: { compress: true } } : {}
      const packet = { type: 2, data: values, ...options, ...(id !== undefined && { id }), nsp: namespace }
      const [encoded] = new parser.Encoder().encode(packet as never) as unknown as Buffer[]
      return encoded?.length ?? 0
    },
    connectionSampler,
    start: (options) => start(setup, options),
  }
}

async function start(setup: SetUp, options: EventHostOptions): Promise<EventHost> {
  const { telemetry, authorize, connection, events = {}, maxMessageSize, heartbeat } = options
  const http = createServer()
  const io = new Server(http, {
    ...(setup.parser !== undefined && { parser: setup.parser }),
    ...(maxMessageSize !== undefined && { maxHttpBufferSize: maxMessageSize }),
    ...(heartbeat !== undefined && { pingInterval: heartbeat.interval, pingTimeout: heartbeat.timeout }),
  })
  const traced = telemetry && traceSocketServer(io, telemetry)
  const namespace = io.of(setup.namespace)
  if (authorize !== undefined) {
    namespace.use(async (_socket, next) => {
      try {
        await authorize()
        next()
      } catch (error) {
        next(error as Error)
      }
    })
  }
  const onConnection = (raw: Socket) => {
    const socket = socketOf(raw)
    for (const [name, handler] of Object.entries(events)) {
      const listener = (...args: unknown[]) => {
        const answer = typeof args.at(-1) === 'function' ? (args.pop() as (value: unknown) => void) : undefined
        const result = handler(socket, args[0])
        if (!(result instanceof Promise)) answer?.(result)
        else if (answer !== undefined) return result.then(answer)
        return result
      }
      raw.on(name, kindOf(handler, listener))
    }
    return connection?.(socket)
  }
  namespace.on('connection', kindOf(connection ?? onConnection, onConnection))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const address = `127.0.0.1:${(http.address() as AddressInfo).port}`
  return {
    connectionOf: (socket) => connectionOf(socket.raw) as Connection | undefined,
    broadcast(name, data, { room, except }: BroadcastTarget = {}) {
      const all = room === undefined ? namespace : namespace.to(room)
      const target = except === undefined ? all : all.except(except)
      if (data === undefined) target.emit(name)
      else target.emit(name, data)
    },
    connect: (clientOptions) => connectClient(`http://${address}${setup.namespace}`, setup, clientOptions),
    rawConnect: () => connectByHand(`ws://${address}`, setup.namespace),
    async shutdown() {
      await traced?.shutdown()
    },
    async close() {
      io.disconnectSockets(true)
      http.closeAllConnections()
      await io.close()
    },
  }
}

function socketOf(raw: Socket): EventSocket {
  return {
    raw,
    emit(name, data) {
      if (data === undefined) raw.emit(name)
      else raw.emit(name, data)
    },
    ask: (name, data, timeout) => (timeout === undefined ? raw : raw.timeout(timeout)).emitWithAck(name, data),
    join(room) {
      void raw.join(room)
    },
    disconnect() {
      raw.disconnect()
    },
  }
}

function connectClient(
  url: string,
  { transport, parser }: SetUp,
  options: EventConnectOptions | undefined,
): Promise<EventClient> {
  const socket = connect(url, {
    forceNew: true,
    reconnection: false,
    transports: [transport],
    ...socketIoOptions(url, options),
    ...(parser !== undefined && { parser }),
  })
  return socketIoClient(socket, options)
}

/** Joins a namespace with the packets of Engine.IO and Socket.IO. */
async function connectByHand(url: string, namespace: string): Promise<RawClient> {
  const client = await rawConnect(`${url}/socket.io/?EIO=4&transport=websocket`)
  await client.nextFrame()
  client.send(OPCODE.text, namespace === '/' ? '40' : `40${namespace},`)
  await client.nextFrame()
  return client
}

/** The WebSocket below a client of the suites. */
function webSocketOf({ raw }: EventClient): { send(data: string): void; close(code?: number): void } {
  const { engine } = (raw as ClientSocket).io
  return (engine as unknown as { transport: { ws: ReturnType<typeof webSocketOf> } }).transport.ws
}

/** What Socket.IO itself does to a connection, and what a client can make it do. */
const closeCases: Readonly<Record<string, EventCloseCase>> = {
  'the server disconnects the client': {
    act: ({ socket }) => (socket.raw as Socket).disconnect(true),
    ...{ code: 1000, category: 'normal', initiator: 'local', reason: 'server namespace disconnect' },
  },
  'the server shuts down': {
    act: ({ socket }) => void (socket.raw as Socket).nsp.server.close(),
    ...{ code: 1001, category: 'going_away', initiator: 'local', reason: 'server shutting down' },
  },
  'the application closes the connection below': {
    act: ({ socket }) => (socket.raw as Socket).conn.close(),
    ...{ code: 1005, category: 'no_status', initiator: 'local', reason: 'forced close' },
  },
  'the client closes the connection below without a code': {
    act: ({ client }) => webSocketOf(client).close(),
    ...{ code: 1005, category: 'no_status', initiator: 'remote', reason: 'transport close' },
  },
  'the client goes away': {
    act: ({ client }) => webSocketOf(client).close(1001),
    ...{ code: 1001, category: 'going_away', initiator: 'remote', reason: 'transport close' },
  },
  'the client sends to a namespace that it is not in': {
    act: ({ client }) => webSocketOf(client).send('42/elsewhere,["hello"]'),
    ...{ code: 1008, category: 'policy', initiator: 'local', reason: 'forced close' },
  },
  'a packet of Engine.IO cannot be read': {
    act: ({ client }) => webSocketOf(client).send('9'),
    ...{ code: 1002, category: 'protocol_error', initiator: 'local', error: true, reason: 'parse error' },
  },
  'a packet of Socket.IO cannot be read': {
    act: ({ client }) => webSocketOf(client).send('42{"no":"event"}'),
    ...{ code: 1007, category: 'protocol_error', initiator: 'local', error: true, reason: 'forced close' },
  },
  'a message is too big': {
    act: ({ client }) => webSocketOf(client).send('x'.repeat(2000)),
    ...{ code: 1009, category: 'too_big', initiator: 'local', error: true, reason: 'transport error' },
  },
}

export const eventHarnesses: readonly EventHarness[] = setups.map(harnessOf)
