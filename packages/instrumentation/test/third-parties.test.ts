import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { createClient } from 'graphql-ws'
import { describe, expect, it } from 'vitest'
import { WebSocket } from 'ws'
import { WebsocketProvider } from 'y-websocket'
import { Doc } from 'yjs'
import { ask, conversation, runApplication } from './child/application.ts'
import { useProject } from './child/project.ts'

const REGISTER = '@otel-ws/instrumentation/register'

const project = useProject()

describe.concurrent('a server that sits on ws, with its own client', () => {
  it('graphql-ws', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'graphql-ws.mjs'],
      async talk(port) {
        const client = createClient({ url: `ws://127.0.0.1:${port}/graphql`, webSocketImpl: WebSocket })
        const counted: unknown[] = []
        for await (const { data } of client.iterate({ query: 'subscription { count }' })) counted.push(data)
        if (JSON.stringify(counted) !== '[{"count":1},{"count":2}]') throw new Error('counted wrongly')
        await client.dispose()
      },
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([
      'GET /graphql SERVER',
      'close /graphql INTERNAL ~ GET /graphql',
      'complete subscription INTERNAL ~ GET /graphql ~ process subscription',
      'disconnect /graphql INTERNAL ~ GET /graphql',
      'open /graphql INTERNAL < GET /graphql',
      'process subscription SERVER ~ GET /graphql',
    ])
    expect(receiver.spans.find(({ name }) => name === 'process subscription')?.attributes).toContainEqual({
      key: 'websocket.subprotocol',
      value: { stringValue: 'graphql-transport-ws' },
    })
  })

  it('tRPC', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'trpc.mjs'],
      env: { OTEL_WS_MESSAGE_NAME: '$.method' },
      async talk(port) {
        const socket = createWSClient({ url: `ws://127.0.0.1:${port}/trpc`, WebSocket: WebSocket as never })
        const client = createTRPCClient({ links: [wsLink({ client: socket })] }) as unknown as {
          greeting: { query(): Promise<string> }
        }
        if ((await client.greeting.query()) !== 'hello') throw new Error('greeted wrongly')
        await socket.close()
      },
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([
      'GET /trpc SERVER',
      'close /trpc INTERNAL ~ GET /trpc',
      'disconnect /trpc INTERNAL ~ GET /trpc',
      'open /trpc INTERNAL < GET /trpc',
      'process greeting SERVER ~ GET /trpc',
    ])
  })

  it('express-ws, on the version of ws that it brings', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--require', REGISTER, 'express-ws.cjs'],
      env: { OTEL_WS_ROUTE: '/chat' },
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([
      'GET /chat SERVER',
      'close /chat INTERNAL ~ GET /chat',
      'open /chat INTERNAL < GET /chat',
      'process question INTERNAL ~ GET /chat',
      'send answer INTERNAL < process question',
    ])
  })

  it('crossws, on the ws that it carries, under h3', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'crossws.mjs'],
      async talk(port) {
        const url = `ws://127.0.0.1:${port}/chat/lobby`
        await expect(ask(`${url}?stranger`)).rejects.toThrow('401')
        await ask(url)
      },
    })
    // The server of h3 ends by itself.
    expect(end).toEqual({ code: 0, signal: null, stderr: '' })
    expect(receiver.tree()).toEqual(['GET /chat/:room SERVER', ...conversation('/chat/:room')])
  })

  it.each([
    ['@hono/node-ws, in ES modules', ['--import', REGISTER, 'hono.mjs']],
    ['@hono/node-ws, in CommonJS', ['--require', REGISTER, 'hono.cjs']],
    ['@hono/node-server 2', ['--import', REGISTER, 'hono-2.mjs']],
  ])('Hono with %s', async (_what, args) => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args,
      async talk(port) {
        const url = `ws://127.0.0.1:${port}/chat/lobby`
        await expect(ask(`${url}?stranger`)).rejects.toThrow('401')
        await ask(url)
      },
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    // The route of version 2 is found by the handler that upgrades.
    const rejected = args.includes('hono-2.mjs') ? 'GET SERVER' : 'GET /chat/:room SERVER'
    expect(receiver.tree()).toEqual([rejected, ...conversation('/chat/:room')].sort())
  })

  it('y-websocket, named by a function, with an SDK of the application', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--require', './y-telemetry.cjs', 'y-websocket.cjs'],
      env: { OTEL_WS_MESSAGE_NAME: '' },
      async talk(port) {
        const provider = new WebsocketProvider(`ws://127.0.0.1:${port}`, 'notes', new Doc(), {
          WebSocketPolyfill: WebSocket as never,
          disableBc: true,
        })
        await new Promise<void>((resolve) => provider.on('sync', () => resolve()))
        const closed = new Promise<void>((resolve) => provider.on('connection-close', () => resolve()))
        provider.destroy()
        await closed
      },
    })
    expect(end).toEqual({ code: 0, signal: null, stderr: '' })
    expect(receiver.tree()).toEqual([
      'GET /:document SERVER',
      'close /:document INTERNAL ~ GET /:document',
      'disconnect /:document INTERNAL ~ GET /:document',
      'open /:document INTERNAL < GET /:document',
      'process awareness INTERNAL ~ GET /:document',
      'process awareness INTERNAL ~ GET /:document',
      'process sync INTERNAL ~ GET /:document',
      'process sync INTERNAL ~ GET /:document',
      'send sync INTERNAL < open /:document',
      'send sync INTERNAL < process sync',
    ])
  })
})
