import type { EventEmitter } from 'node:events'
import { inspect } from 'node:util'
import type { WsScript } from '../ws-stage.ts'
import { inConnection } from './in-connection.ts'

/** The properties and listeners of sockets, servers and requests that an application can see. */
export const faceScripts: Readonly<Record<string, WsScript>> = {
  'the face of the socket': inConnection((socket, stage) => {
    stage.log(Object.keys(socket))
    stage.log(
      Object.getOwnPropertySymbols(socket).filter((key) => Object.getOwnPropertyDescriptor(socket, key)?.enumerable),
    )
    stage.log(
      Object.keys({ ...socket }),
      socket.constructor.name,
      Object.getPrototypeOf(socket) === socket.constructor.prototype,
    )
    const methods = [
      'send',
      'emit',
      'on',
      'once',
      'off',
      'close',
      'terminate',
      'ping',
      'pong',
      'addEventListener',
    ] as const
    for (const method of methods) stage.log(method, socket[method].length)
    stage.log(
      socket.getMaxListeners(),
      socket.binaryType,
      socket.readyState,
      socket.protocol,
      socket.extensions,
      socket.url,
    )
    stage.log(Object.isExtensible(socket), `${socket}`)
    stage.log(inspect(socket, { depth: 0 }))
    stage.log(JSON.stringify(socket, (key, value) => (key === '' ? value : typeof value)))
  }),

  async 'the face of the servers and the request'(stage) {
    const host = await stage.serve({
      connection(_socket, request) {
        stage.log(Object.keys(request).sort(), request.eventNames(), request.url, request.headers.upgrade)
        stage.log(Object.keys(request.socket).sort())
        stage.log(request.socket.eventNames().map(String).sort())
        for (const event of request.socket.eventNames()) {
          stage.log(String(event), request.socket.listenerCount(event))
        }
      },
    })
    await stage.connect(host)
    for (const server of [host.ws.server, host.ws.http] as EventEmitter[]) {
      stage.log(Object.keys(server).sort(), server.eventNames().map(String))
      for (const event of server.eventNames()) stage.log(String(event), server.listenerCount(event))
    }
    stage.log(host.ws.server.handleUpgrade.length, host.ws.server.emit.length, host.ws.server.close.length)
    stage.log(host.ws.server.clients.size, Object.keys(host.ws.server.options).sort())
  },

  async 'returned values'(stage) {
    const host = await stage.serve({
      connection(socket) {
        stage.log(socket.ping(), socket.pong(), socket.send('x'), socket.pause(), socket.resume())
        stage.log(socket.on('x', () => {}) === socket, socket.setMaxListeners(5) === socket)
        stage.log(socket.close(1000), socket.close(), socket.terminate(), socket.readyState)
      },
    })
    const client = await stage.rawConnect(host)
    await client.closed
  },
}
