import { once } from 'node:events'
import type { TelemetryOptions } from '@otel-ws/core'
import { connect, Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

let telemetry: Telemetry
let wss: WebSocketServer

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})

afterEach(async () => {
  for (const client of wss.clients) client.terminate()
  await new Promise((resolve) => wss.close(resolve))
  await telemetry.uninstall()
})

/** Messages of a client that contain credentials, answers of a server that contain an error, and one ordinary message. */
const CASES: readonly [protocol: string, sent: readonly unknown[], answered: readonly unknown[]][] = [
  [
    'graphql-transport-ws',
    [{ type: 'connection_init', payload: { token: 'SECRET' } }],
    [
      { type: 'connection_ack', payload: { session: 'SECRET' } },
      { type: 'error', id: '1', payload: [{ message: 'SECRET' }] },
    ],
  ],
  ['graphql-ws', [{ type: 'connection_init', payload: 'SECRET' }], [{ type: 'connection_error', payload: 'SECRET' }]],
  [
    'trpc',
    [{ method: 'connectionParams', data: { token: 'SECRET' } }],
    [{ id: 1, error: { message: 'SECRET', data: { code: 'X', stack: 'SECRET' } } }],
  ],
  ['json-rpc', [], [{ jsonrpc: '2.0', id: 1, error: { code: 1, message: 'SECRET', data: 'SECRET' } }]],
  ['phoenix', [['1', '1', 'room:SECRET', 'phx_join', { password: 'SECRET' }]], []],
  [
    'pusher',
    [
      { event: 'pusher:subscribe', data: { channel: 'private-SECRET', auth: 'SECRET' } },
      { event: 'pusher:signin', data: { auth: 'SECRET' } },
    ],
    [],
  ],
  ['actioncable', [{ command: 'subscribe', identifier: '{"channel":"C","token":"SECRET"}' }], []],
  ['stomp', ['CONNECT\npasscode:SECRET\n\n\0'], ['ERROR\nmessage:SECRET\n\nSECRET\0']],
  [
    'signalr',
    ['{"protocol":"json","version":1,"token":"SECRET"}\u001e'],
    ['{"type":3,"invocationId":"1","error":"SECRET"}\u001e'],
  ],
]

it.each(CASES)(
  'keeps what authenticates in %s, and bodies of errors, from every hook and attribute',
  async (protocol, sent, answered) => {
    const seen: string[] = []
    const see = (data: unknown) => void seen.push(String(data))
    const options: TelemetryOptions = {
      protocol,
      messageName: (data) => {
        see(data)
        return undefined
      },
      messageContext: (data) => {
        see(data)
        return undefined
      },
      ignore: ({ name }) => {
        see(name)
        return false
      },
      onMessage: (_, { data }) => see(data),
    }
    wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
    traceWebSocketServer(wss, { route: '/secret', ...options })
    const text = (message: unknown) => (typeof message === 'string' ? message : JSON.stringify(message))
    let left = sent.length + 1
    wss.on('connection', (socket) =>
      socket.on('message', () => {
        if (--left > 0) return
        for (const message of answered) socket.send(text(message))
        socket.send('"open"')
      }),
    )
    await once(wss, 'listening')
    const client = await connect(`ws://127.0.0.1:${(wss.address() as { port: number }).port}/`)
    for (const message of sent) client.send(text(message))
    client.send('"plain"')
    for (let messages = 0; messages <= answered.length; messages++) await client.next()
    await client.close()
    await telemetry.waitForSpan('close /secret')
    // The hooks are there for other messages.
    expect(seen).toContain('"plain"')
    expect(seen).toContain('"open"')
    expect(seen.join('\n')).not.toContain('SECRET')
    const recorded = telemetry.spans().map(({ name, attributes, events, status }) => [name, attributes, events, status])
    expect(JSON.stringify(recorded)).not.toContain('SECRET')
  },
)
