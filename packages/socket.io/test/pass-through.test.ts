import { type EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import { traceSocketServer } from '@otel-ws/socket.io'
import { passThroughEnds, passThroughSuite } from '@otel-ws/testkit/suites'
import { Server, type Socket } from 'socket.io'
import { connect } from 'socket.io-client'
import { beforeAll } from 'vitest'

const ends = passThroughEnds()

/** A socket of a bare server, with which the methods of Socket.IO are called. */
let socket: Socket

beforeAll(async () => {
  const http = createServer()
  const io = new Server(http)
  http.listen(0, '127.0.0.1')
  await once(http, 'listening')
  const { port } = http.address() as { port: number }
  const client = connect(`http://127.0.0.1:${port}`, { transports: ['websocket'], reconnection: false })
  ;[socket] = (await once(io, 'connection')) as [Socket]
  ends.push(
    () => client.disconnect(),
    () => http.closeAllConnections(),
    () => io.close(),
  )
})

/** A server with these originals at one of its parts, which is traced. */
const part = (of: (io: Server) => object) => (originals: object) => {
  const io = new Server()
  const object = of(io)
  Object.assign(object, originals)
  traceSocketServer(io)
  return object
}

const packet = () => ({ type: 2, data: ['hello'] })
const options = () => ({ rooms: new Set(), except: new Set(), flags: {} })

passThroughSuite(
  'a namespace',
  {
    run: { first: () => [socket, () => {}], replaces: [1] },
    emitReserved: {},
    _doConnect: { first: () => [socket] },
    _onServerSideEmit: { first: () => [[Symbol('no name')]] },
  },
  part((io) => {
    // Adapters that publish to other nodes have the last of them wrapped: they inherit from the adapter of Socket.IO.
    class OwnAdapter extends (Object.getPrototypeOf(io.sockets.adapter) as { constructor: typeof EventEmitter })
      .constructor {}
    Object.setPrototypeOf(io.sockets.adapter, OwnAdapter.prototype)
    return io.sockets
  }),
)

passThroughSuite(
  'an adapter',
  {
    broadcast: { first: () => [packet(), options()], replaces: [1] },
    broadcastWithAck: { first: () => [packet(), options(), () => {}, () => {}], replaces: [1, 2, 3] },
    apply: { first: () => [options()] },
    emit: {},
    serverCount: {},
  },
  part((io) => io.sockets.adapter),
)

passThroughSuite(
  'a server',
  {
    bind: { first: () => [{ opts: {}, emit() {}, handleRequest() {}, handleUpgrade() {} }] },
    _checkNamespace: { first: () => ['/x', {}, () => {}], replaces: [2] },
  },
  part((io) => io),
)
