import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { connectionOf, connectionSampler, traceHooks } from '@otel-ws/crossws'
import {
  type Connection,
  type EventHarness,
  type EventHost,
  type EventHostOptions,
  type EventSocket,
  eventText,
  jsonEventClient,
  kindOf,
} from '@otel-ws/testkit'
import type { Hooks, Peer } from 'crossws'
import crossws from 'crossws/adapters/node'

const PLACE = '/chat'

const socketOf = (raw: Peer): EventSocket => ({
  raw,
  emit: (name, data) => void raw.send(eventText(name, data)),
  ask: () => Promise.reject(new Error('crossws has no acknowledgements')),
  join() {},
  disconnect: () => raw.close(1000),
})

async function start({ telemetry, connection, authorize, events = {} }: EventHostOptions): Promise<EventHost> {
  const hooks: Partial<Hooks> = {
    async upgrade() {
      try {
        await authorize?.()
      } catch {
        throw new Response('no', { status: 403 })
      }
    },
    open: (peer) => connection?.(socketOf(peer)) as void,
    message: (peer, message) => {
      const { event, data } = message.json<{ event: string; data: unknown }>()
      return events[event]?.(socketOf(peer), data) as void
    },
  }
  // One hook stands for the handlers of all events: it is of their kind, if they have one.
  const handlers = Object.values(events)
  const [handler] = handlers
  const isMixed = new Set(handlers.map((each) => each.constructor)).size > 1
  if (handler !== undefined && hooks.message !== undefined) kindOf(handler, hooks.message)
  if (connection !== undefined && hooks.open !== undefined) kindOf(connection, hooks.open)
  const traced =
    telemetry &&
    traceHooks(hooks, {
      route: PLACE,
      messageName: '$.event',
      ...(isMixed && { followPromises: 'all' as const }),
      ...telemetry,
    })
  const ws = crossws({ hooks: traced ?? hooks })
  const http = createServer()
  http.on('upgrade', (request, socket, head) => void ws.handleUpgrade(request, socket, head))
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const url = `ws://127.0.0.1:${(http.address() as AddressInfo).port}${PLACE}`
  return {
    connectionOf: (socket) => connectionOf(socket.raw) as Connection | undefined,
    broadcast: (name, data) => {
      for (const peers of ws.peers.values()) for (const peer of peers) peer.send(eventText(name, data))
    },
    connect: (options) => jsonEventClient(url, options),
    async shutdown() {
      await traced?.shutdown()
    },
    async close() {
      for (const peers of ws.peers.values()) for (const peer of peers) peer.terminate()
      await new Promise((resolve) => http.close(resolve))
    },
  }
}

export const eventHarness: EventHarness = {
  name: 'crossws, with named events',
  names: {
    route: PLACE,
    namespace: undefined,
    handshake: `GET ${PLACE}`,
    longestRead: 400,
    rejected: { 'http.response.status_code': 403 },
  },
  capabilities: {
    acks: false,
    rooms: false,
    eventErrors: 'crash',
    connectionErrors: 'rejection',
    seesAnswers: false,
    unknownEvents: 'named',
    heartbeats: 'none',
    frames: false,
    shutdownAlone: true,
  },
  closes: {
    leave: { code: 1000, category: 'normal', initiator: 'remote' },
    disconnect: { code: 1000, category: 'normal', initiator: 'local' },
    abort: { code: 1006, category: 'abnormal', initiator: 'network' },
  },
  type: 'text',
  size: (_from, event, data) => Buffer.byteLength(eventText(event, data)),
  connectionSampler,
  start,
}
