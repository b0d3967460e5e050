import { once } from 'node:events'
import { traceWebSocket } from '@otel-ws/client'
import { traceSocket } from '@otel-ws/client/socket.io'
import { passThroughEnds, passThroughSuite } from '@otel-ws/testkit/suites'
import { connect } from 'socket.io-client'
import { WebSocket } from 'ws'
import { close, listen } from './clients.ts'

const ends = passThroughEnds()

passThroughSuite(
  'a client of ws',
  { send: { replaces: [1, 2] }, emit: {}, close: {}, terminate: {} },
  async (originals) => {
    const { wss, url } = await listen()
    const socket = new WebSocket(url)
    await once(socket, 'open')
    const { terminate } = socket
    ends.push(
      () => terminate.call(socket),
      () => close(wss),
    )
    // They are the application's own from here on.
    Object.assign(socket, originals)
    traceWebSocket(socket as never)
    return socket
  },
)

const packet = (type: number) => () => [{ type, id: 7, data: ['hello'] }]

passThroughSuite(
  'a socket of socket.io-client',
  {
    emit: {},
    packet: { first: packet(5) },
    onevent: { first: packet(2) },
    onack: { first: packet(3) },
    emitReserved: {},
    emitEvent: { first: () => [['hello']] },
    _registerAckCallback: { first: () => [1, () => {}] },
    connect: {},
    disconnect: {},
  },
  (originals) => {
    const socket = connect('http://127.0.0.1:1', { autoConnect: false, forceNew: true })
    Object.assign(socket, originals)
    return traceSocket(socket)
  },
)

passThroughSuite('a manager of socket.io-client', { open: {}, emitReserved: {} }, (originals) => {
  const socket = connect('http://127.0.0.1:1', { autoConnect: false, forceNew: true })
  Object.assign(socket.io, originals)
  traceSocket(socket)
  return socket.io
})
