import { EventEmitter, once } from 'node:events'
import { createServer, Server as HttpServer, type Server } from 'node:http'
import { createServer as createSecureServer, Server as HttpsServer } from 'node:https'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { trace } from '@opentelemetry/api'
import { HttpInstrumentation } from '@opentelemetry/instrumentation-http'
import { WsInstrumentation } from '@otel-ws/instrumentation'
import { RawClient, Telemetry } from '@otel-ws/testkit'
import { Server as SocketIoServer } from 'socket.io'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

const wss = new WebSocketServer({ noServer: true })

describe('upgrade requests with zero code', () => {
  let telemetry: Telemetry
  let instrumentation: WsInstrumentation
  let servers: Server[]

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    servers = []
    instrumentation = new WsInstrumentation()
  })

  afterEach(async () => {
    for (const server of servers) {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    }
    instrumentation.disable()
    await telemetry.uninstall()
    expect(telemetry.openSpans()).toEqual([])
  })

  async function listen(server: Server): Promise<string> {
    servers.push(server)
    // Clients that leave reset their connection.
    server.on('connection', (socket) => socket.on('error', () => {}))
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
  }

  /** A server that looks up a session, and then rejects, cuts or accepts by path. */
  function authenticating(): Server {
    return createServer().on('upgrade', async (request, socket, head) => {
      await new Promise((resolve) => setTimeout(resolve, 20))
      if (request.url === '/no') socket.end('HTTP/1.1 401 Unauthorized\r\nConnection: close\r\n\r\n')
      else if (request.url === '/gone') socket.destroy()
      else wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
    })
  }

  it('that the application rejects or cuts are recorded, also before the first is accepted', async () => {
    const server = authenticating()
    const url = await listen(server)
    const listeners = server.listenerCount('upgrade')
    for (const path of ['/no', '/gone', '/yes']) {
      const client = new RawClient(url + path)
      await client.response.catch(() => {})
      client.socket.destroy()
      await client.closed
    }
    await telemetry.waitForSpan('close')
    expect(listeners).toBe(1)
    const handshakes = telemetry.spans('GET')
    expect(
      handshakes.map(({ attributes }) => [
        attributes['url.path'],
        attributes['websocket.handshake.outcome'],
        attributes['http.response.status_code'],
      ]),
    ).toEqual([
      ['/no', 'rejected', 401],
      ['/gone', 'abandoned', undefined],
      ['/yes', 'accepted', 101],
    ])
    for (const { duration } of handshakes) expect(duration[1]).toBeGreaterThan(15e6)
    const rows = await telemetry.collect('websocket.server.handshake.duration')
    expect(rows.map(({ count }) => count)).toEqual([1, 1, 1])
  })

  it('to the path of Engine.IO, and those that other code accepts, are not recorded', async () => {
    const server = createServer()
    const io = new SocketIoServer(server, {
      destroyUpgrade: false,
      allowRequest: ({ url }, done) => done(null, !url?.includes('no=1')),
    })
    server.on('upgrade', (request, socket) => {
      if (request.url === '/hmr') socket.end('HTTP/1.1 101 Switching Protocols\r\n\r\n')
      else if (request.url === '/no') socket.end('HTTP/1.1 403 Forbidden\r\n\r\n')
    })
    const url = await listen(server)
    const paths = ['/socket.io/?EIO=4&transport=websocket', '/socket.io/?EIO=4&transport=websocket&no=1', '/hmr', '/no']
    for (const path of paths) {
      const client = new RawClient(url + path)
      await client.response
      client.reset()
      await client.closed
    }
    await telemetry.waitForSpan('GET')
    expect(telemetry.spans().map(({ attributes }) => attributes['url.path'])).toEqual(['/no'])
    expect(telemetry.diagnostics.splice(0)).toEqual([
      expect.stringContaining('an upgrade request to "/hmr" was accepted'),
    ])
    await io.close()
    servers = []
  })

  it.each([
    ['http', HttpServer, () => createServer()],
    ['https', HttpsServer, () => createSecureServer() as unknown as Server],
  ] as const)('are seen on servers of %s by a wrapper that can be removed', (_, { prototype }, create) => {
    const { emit } = prototype
    expect(create().listenerCount('upgrade')).toBe(0)
    expect(prototype.emit.name).toBe('emit')
    instrumentation.disable()
    expect(prototype.emit).not.toBe(emit)
    expect(prototype.emit).toBe(EventEmitter.prototype.emit)
  })

  describe('beside the instrumentation of http', () => {
    // It patches modules at their first `require`.
    const http = new HttpInstrumentation({ disableOutgoingRequestInstrumentation: true })
    const { get } = createRequire(import.meta.url)('node:http') as typeof import('node:http')
    http.disable()

    /** The names of the spans of a plain request and of an upgrade that is rejected. */
    async function record(): Promise<string[]> {
      telemetry.forget()
      const server = authenticating().on('request', (_, response) => response.end('plain'))
      const url = await listen(server)
      await new Promise<void>((resolve) => {
        get(url.replace('ws:', 'http:'), (response) => response.resume().on('end', resolve))
      })
      const client = new RawClient(`${url}/no`)
      await client.response
      await client.closed
      await new Promise(setImmediate)
      return telemetry.spans().map(({ instrumentationScope, kind }) => `${instrumentationScope.name} ${kind}`)
    }

    const WS = '@otel-ws/ws 1'
    const HTTP = '@opentelemetry/instrumentation-http 1'

    it.each([
      ['first and removed first', true, true],
      ['first and removed last', true, false],
      ['last and removed first', false, true],
      ['last and removed last', false, false],
    ])('are seen by a wrapper that is added %s', async (_, isAddedFirst, isRemovedFirst) => {
      instrumentation.disable()
      if (isAddedFirst) instrumentation.enable()
      http.setTracerProvider(trace.getTracerProvider())
      http.enable()
      if (!isAddedFirst) instrumentation.enable()
      expect((await record()).sort()).toEqual([HTTP, WS])
      if (isRemovedFirst) {
        instrumentation.disable()
        expect(await record()).toEqual([HTTP])
        http.disable()
      } else {
        http.disable()
        expect(await record()).toEqual([WS])
        instrumentation.disable()
      }
      expect(await record()).toEqual([])
    })
  })
})
