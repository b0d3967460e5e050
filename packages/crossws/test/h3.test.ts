import { traceHooks } from '@otel-ws/crossws'
import { connect, HEADER_OFFER, Telemetry, type TestClient } from '@otel-ws/testkit'
import type { Hooks } from 'crossws'
import { plugin as websocket } from 'crossws/server'
import { defineWebSocketHandler, H3, serve } from 'h3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let telemetry: Telemetry
const closers: (() => Promise<unknown>)[] = []

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})
afterEach(async () => {
  for (const close of closers.splice(0)) await close()
  await telemetry.uninstall()
})

/** Serves hooks at a route of h3, as users of Nitro have them; returns the URL that sockets connect to. */
async function listen(route: string, hooks: Partial<Hooks>): Promise<string> {
  const app = new H3()
  app.get(route, defineWebSocketHandler(hooks))
  const server = serve(app, { port: 0, hostname: '127.0.0.1', silent: true, plugins: [websocket({})] })
  await server.ready()
  closers.push(() => server.close(true))
  return `${server.url?.replace(/^http/, 'ws').replace(/\/$/, '')}`
}

async function visit(url: string, headers = {}): Promise<TestClient> {
  const client = await connect(url, [], { headers })
  closers.unshift(() => client.close(1000))
  return client
}

describe('a route of h3', () => {
  it('is the route of its handshakes, unless option route says another', async () => {
    const url = await listen('/chat/:room', traceHooks({ open: (peer) => void peer.send('hello') }))
    await (await visit(`${url}/chat/lobby`)).next()
    const handshake = await telemetry.waitForSpan('GET /chat/:room')
    expect(handshake.attributes).toMatchObject({
      'http.route': '/chat/:room',
      'url.path': '/chat/lobby',
      'client.address': '127.0.0.1',
    })
    expect(handshake.attributes['client.port']).toEqual(expect.any(Number))

    const other = await listen('/chat/:room', traceHooks({}, { route: '/rooms' }))
    await visit(`${other}/chat/lobby`)
    await telemetry.waitForSpan('GET /rooms')
  })

  it('rejects by a thrown and by a returned response, and fails with 500', async () => {
    const refusals: Record<string, Hooks['upgrade']> = {
      '/thrown': () => {
        throw new Response('no', { status: 401 })
      },
      '/returned': () => new Response('no', { status: 403 }),
      '/failed': () => {
        throw new TypeError('boom')
      },
    }
    for (const [route, upgrade] of Object.entries(refusals)) {
      const url = await listen(route, traceHooks({ upgrade }))
      await expect(connect(url + route)).rejects.toThrow('Unexpected server response')
      await telemetry.waitForSpan(`GET ${route}`)
    }
    const facts = Object.keys(refusals).map((route) => {
      const { attributes, status } = telemetry.span(`GET ${route}`)
      return [attributes['http.response.status_code'], attributes['error.type'], status.code]
    })
    expect(facts).toEqual([
      [401, undefined, 0],
      [403, undefined, 0],
      [500, 'TypeError', 2],
    ])
  })

  it('keeps headers of its answer of any form, beside the answer to an offer of context', async () => {
    const answers: [string, NonNullable<ConstructorParameters<typeof Headers>[0]>][] = [
      ['/object', { 'x-own': 'yes' }],
      ['/headers', new Headers({ 'x-own': 'yes' })],
      ['/pairs', [['x-own', 'yes']]],
    ]
    for (const [route, headers] of answers) {
      const url = await listen(route, traceHooks({ upgrade: () => ({ headers }) }))
      const client = await visit(url + route, { 'otel-ws': HEADER_OFFER })
      expect([client.responseHeaders['x-own'], client.responseHeaders['otel-ws']]).toEqual(['yes', expect.any(String)])
      await telemetry.waitForSpan(`GET ${route}`)
    }
  })

  it('records the protocol that its hook accepts', async () => {
    const url = await listen('/p', traceHooks({ upgrade: () => ({ protocol: 'v2.chat' }) }))
    const client = await connect(`${url}/p`, ['v1.chat', 'v2.chat'])
    expect(client.socket.protocol).toBe('v2.chat')
    await client.close(1000)
    expect((await telemetry.waitForSpan('close /p')).attributes['websocket.subprotocol']).toBe('v2.chat')
  })
})

describe('publish', () => {
  it.each(['peer', 'loop'] as const)('by a %s is one broadcast to the others that it reaches', async (by) => {
    const url = await listen(
      '/chat',
      traceHooks({
        open(peer) {
          peer.subscribe('room')
          peer.send('ready')
        },
        async message(peer, message) {
          if (by === 'peer') peer.publish('room', message.text())
          else for (const each of peer.peers) each.send(message.text())
        },
      }),
    )
    const clients: TestClient[] = []
    for (let n = 0; n < 4; n++) {
      const client = await visit(`${url}/chat`, n === 3 ? { 'otel-ws': HEADER_OFFER } : {})
      await client.next()
      clients.push(client)
    }
    clients[0]?.send('{"a":1}')
    const broadcast = await telemetry.waitForSpan('broadcast /chat')
    expect(broadcast.attributes['websocket.broadcast.recipients']).toBe(by === 'peer' ? 3 : 4)
    const process = await telemetry.waitForSpan('process /chat')
    expect(broadcast.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    expect(await clients[1]?.next()).toBe('{"a":1}')
    const { traceId, spanId } = broadcast.spanContext()
    expect(await clients[3]?.next()).toBe(
      `{"_otel":{"traceparent":"00-${traceId}-${spanId}-01","tracestate":"otelws=b"},"a":1}`,
    )
    expect(telemetry.spans('send /chat')).toHaveLength(4)
  })

  it('does not reach the peer itself, nor those of other topics', async () => {
    const url = await listen(
      '/chat',
      traceHooks({
        open(peer) {
          peer.subscribe(new URL(peer.request.url).search)
          peer.send('ready')
        },
        message(peer, message) {
          peer.publish('?a', message.text())
          peer.send('published')
        },
      }),
    )
    const [ada, bob, eve] = [await visit(`${url}/chat?a`), await visit(`${url}/chat?a`), await visit(`${url}/chat?b`)]
    for (const client of [ada, bob, eve]) expect(await client.next()).toBe('ready')
    ada.send('hello')
    expect(await ada.next()).toBe('published')
    expect(await bob.next()).toBe('hello')
    eve.send('bye')
    expect(await eve.next()).toBe('published')
    expect(await ada.next()).toBe('bye')
  })
})

describe('what peers send', () => {
  it('is what crossws makes of it without telemetry', async () => {
    class Point {
      x = 1
    }
    const values = [7, true, 10n, null, undefined, { a: [1] }, Object.create(null), new Point(), [1, 2], () => 1]
    const transcripts: string[][] = []
    for (const hooks of [(given: Partial<Hooks>) => given, (given: Partial<Hooks>) => traceHooks(given)]) {
      const url = await listen(
        '/chat',
        hooks({
          open(peer) {
            for (const value of values) {
              try {
                peer.send(value)
              } catch (error) {
                peer.send(String(error))
              }
            }
            peer.send('end')
          },
        }),
      )
      const client = await visit(`${url}/chat`)
      const received: string[] = []
      while (received.at(-1) !== 'end') {
        const { data, binary } = await client.nextMessage()
        received.push(binary ? `binary ${data.toString('hex')}` : data.toString())
      }
      transcripts.push(received)
    }
    expect(transcripts[1]).toEqual(transcripts[0])
    expect(transcripts[0]).toHaveLength(values.length + 1)
  })
})
