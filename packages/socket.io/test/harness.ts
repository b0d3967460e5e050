import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectionOf, connectionSampler, traceSocketServer } from '@otel-ws/socket.io'
import {
  type BroadcastTarget,
  type Connection,
  type EventClient,
  type EventHarness,
  type EventHost,
  type EventHostOptions,
  type EventSocket,
  socketIoClient,
} from '@otel-ws/testkit'
import { Server, type Socket } from 'socket.io'
import { connect } from 'socket.io-client'
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
    names: { route: namespace, namespace, handshake: `CONNECT ${namespace}` },
    capabilities: { acks: true, rooms: true, rejections: 'unhandled', unknownEvents: 'told', shutdownAlone: true },
    closes: {
      leave: { code: 1000, category: 'normal', initiator: 'remote' },
      disconnect: { code: 1000, category: 'normal', initiator: 'local' },
      // A client cannot cut a polling connection: its engine always sends a close packet.
      abort:
        setup.transport === 'polling'
          ? { code: 1005, category: 'no_status', initiator: 'remote' }
          : { code: 1006, category: 'abnormal', initiator: 'network' },
    },
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

async function start(setup: SetUp, { telemetry, connection, events = {} }: EventHostOptions): Promise<EventHost> {
  const http = createServer()
  const io = new Server(http, setup.parser === undefined ? {} : { parser: setup.parser })
  const traced = telemetry && traceSocketServer(io, telemetry)
  const namespace = io.of(setup.namespace)
  namespace.on('connection', (raw) => {
    const socket = socketOf(raw)
    for (const [name, handler] of Object.entries(events)) {
      raw.on(name, (...args: unknown[]) => {
        const answer = typeof args.at(-1) === 'function' ? (args.pop() as (value: unknown) => void) : undefined
        const result = handler(socket, args[0])
        if (!(result instanceof Promise)) answer?.(result)
        else if (answer !== undefined) return result.then(answer)
        return result
      })
    }
    return connection?.(socket)
  })
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}${setup.namespace}`
  return {
    connectionOf: (socket) => connectionOf(socket.raw) as Connection | undefined,
    broadcast(name, data, { room, except }: BroadcastTarget = {}) {
      const all = room === undefined ? namespace : namespace.to(room)
      const target = except === undefined ? all : all.except(except)
      if (data === undefined) target.emit(name)
      else target.emit(name, data)
    },
    connect: () => connectClient(url, setup),
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

function connectClient(url: string, { transport, parser }: SetUp): Promise<EventClient> {
  const socket = connect(url, {
    forceNew: true,
    reconnection: false,
    transports: [transport],
    ...(parser !== undefined && { parser }),
  })
  return socketIoClient(socket, () => {
    const { engine } = socket.io
    const { transport } = engine as unknown as { transport: Transport }
    if (transport.name === 'websocket') transport.ws?.terminate()
    else engine.close()
  })
}

/** The members of an Engine.IO client that are used here. */
interface Transport {
  readonly name: string
  readonly ws?: { terminate(): void }
}

export const eventHarnesses: readonly EventHarness[] = setups.map(harnessOf)
