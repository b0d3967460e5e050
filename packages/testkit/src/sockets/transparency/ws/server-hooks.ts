import type { IncomingMessage } from 'node:http'
import type { WsScript } from '../ws-stage.ts'

/** The hooks of a `ws` server: for hosts that leave them to the application. */
export const serverHookScripts: Readonly<Record<string, WsScript>> = {
  async 'verifyClient, synchronous'(stage) {
    const host = await stage.serve({
      server: {
        verifyClient(info: { origin: string; secure: boolean; req: IncomingMessage }) {
          stage.log('verify', info.origin, info.secure, info.req.url)
          return !info.origin?.includes('evil')
        },
      },
      connection: () => stage.log('connection'),
    })
    for (const origin of ['http://good', 'http://evil']) {
      const client = stage.upgrade(host, { headers: { origin } })
      stage.log((await client.response).text)
      client.socket.destroy()
    }
  },

  async 'verifyClient, asynchronous'(stage) {
    const host = await stage.serve({
      server: {
        verifyClient(info, answer) {
          stage.log('verify', info.origin, answer.length)
          setImmediate(() =>
            info.origin === 'http://good' ? answer(true) : answer(false, 429, 'slow down', { 'Retry-After': 7 }),
          )
        },
      },
      connection: () => stage.log('connection'),
    })
    for (const origin of ['http://good', 'http://evil']) {
      const client = stage.upgrade(host, { headers: { origin } })
      stage.log((await client.response).text)
      client.socket.destroy()
    }
  },

  async handleProtocols(stage) {
    const host = await stage.serve({
      server: {
        handleProtocols(protocols, request) {
          stage.log('protocols', [...protocols], request.url)
          return protocols.has('v1') ? 'v1' : false
        },
      },
      connection: (socket) => stage.log('connection', socket.protocol),
    })
    for (const protocol of ['v2, v1', 'v3']) {
      const client = stage.upgrade(host, { headers: { 'sec-websocket-protocol': protocol } })
      stage.log((await client.response).text)
      client.socket.destroy()
    }
  },

  async 'a headers listener that adds one'(stage) {
    const host = await stage.serve({ connection() {} })
    host.ws.server.on('headers', (headers, request) => {
      stage.log('headers', headers.length, request.url)
      headers.push('x-own: 1')
    })
    const client = stage.upgrade(host)
    stage.log((await client.response).text)
  },

  async 'a wsClientError listener, which then has to answer'(stage) {
    const host = await stage.serve({ connection() {} })
    host.ws.server.on('wsClientError', (error, socket, request) => {
      stage.log('wsClientError', error, request.url)
      socket.end('HTTP/1.1 418 Teapot\r\nConnection: close\r\n\r\n')
    })
    const client = stage.upgrade(host, { headers: { 'sec-websocket-version': '7' } })
    stage.log((await client.response).text, (await client.closed).toString())
  },

  async 'shouldHandle, overridden'(stage) {
    const host = await stage.serve({ connection: () => stage.log('connection') })
    const { shouldHandle } = host.ws.server
    host.ws.server.shouldHandle = (request) => {
      stage.log('should handle', request.url)
      return !request.url?.includes('no') && (shouldHandle.call(host.ws.server, request) as boolean)
    }
    for (const query of ['', '?no']) {
      const client = stage.upgrade({ ...host, url: host.url + query })
      stage.log((await client.response).text)
      client.socket.destroy()
    }
  },

  async 'a client that leaves before it is answered'(stage) {
    let reached: () => void = () => {}
    const asked = new Promise<void>((resolve) => {
      reached = resolve
    })
    let answer: (ok: boolean) => void = () => {}
    const host = await stage.serve({
      server: {
        verifyClient(_info, callback) {
          answer = callback
          reached()
        },
      },
      connection: () => stage.log('connection'),
    })
    const gone = new Promise((resolve) => host.ws.http.once('connection', (socket) => socket.once('close', resolve)))
    const client = stage.upgrade(host)
    await asked
    client.reset()
    await gone
    stage.log('answered', answer(true))
  },

  async 'several listeners for connections'(stage) {
    const host = await stage.serve({ connection: (_socket, request) => stage.log('first', request.url) })
    host.ws.server.on('connection', function (this: unknown, ...args) {
      stage.log('second', this === host.ws.server, args.length)
    })
    host.ws.server.once('connection', () => stage.log('once'))
    stage.log(host.ws.server.listenerCount('connection'), host.ws.server.listeners('connection'))
    for (let count = 0; count < 2; count++) await stage.connect(host)
    stage.log(host.ws.server.listenerCount('connection'))
  },
}
