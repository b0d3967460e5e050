import { once } from 'node:events'
import { createRequire } from 'node:module'
import { traceWebSocketServer } from '@otel-ws/ws'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { expect, it } from 'vitest'
import { type WebSocketServer, WebSocket as WsClient } from 'ws'
import { close, listen } from '../clients.ts'
import { Operations, tracedClient } from './fixture.ts'

// The copy that graphql-ws has: Vitest would load another one, of ES modules.
const { buildSchema } = createRequire(import.meta.url)('graphql') as typeof import('graphql')

const operations = new Operations()

/** A library over one connection: what its user gets from a fixed sequence of calls. */
interface Library {
  readonly protocols: string | undefined
  serve(wss: WebSocketServer): void
  use(url: string, Client: typeof WsClient, note: (what: unknown) => void): Promise<void>
}

const graphql: Library = {
  protocols: 'graphql-transport-ws',
  serve(wss) {
    const schema = buildSchema(
      'type Query { hello: String boom: String slow: String } type Subscription { ticks: Int }',
    )
    const query = {
      hello: () => 'hi',
      boom: () => {
        throw new Error('failed')
      },
      slow: () => new Promise(() => {}),
    }
    async function* ticks() {
      for (const tick of [1, 2, 3]) yield { ticks: tick }
    }
    useServer({ schema, roots: { query, subscription: { ticks } } }, wss)
  },
  async use(url, Client, note) {
    const client = createClient({ url, webSocketImpl: Client, connectionParams: { token: 't' }, generateID: ids() })
    const run = (text: string) =>
      new Promise<void>((resolve) => {
        const error = (failure: unknown) => {
          note(failure)
          resolve()
        }
        client.subscribe({ query: text }, { next: note, error, complete: resolve })
      })
    for (const text of ['{ hello }', '{ boom }', '{ nothing }', 'subscription { ticks }']) await run(text)
    const cancel = client.subscribe(
      { query: '{ slow }' },
      { next: note, error: note, complete: () => note('cancelled') },
    )
    await run('{ hello }')
    cancel()
    await run('{ hello }')
    await client.dispose()
  },
}

const trpc: Library = {
  protocols: undefined,
  serve(wss) {
    const t = initTRPC.create()
    const router = t.router({
      get: t.procedure.query(() => 1),
      fail: t.procedure.mutation(() => {
        throw new Error('failed')
      }),
      ticks: t.procedure.subscription(async function* () {
        for (const tick of [1, 2, 3]) yield tick
      }),
    })
    applyWSSHandler({ wss: wss as never, router, createContext: () => ({}) })
  },
  async use(url, Client, note) {
    const client = createWSClient({ url, WebSocket: Client as never })
    const api = createTRPCClient({ links: [wsLink({ client })] }) as unknown as Record<
      string,
      {
        query(): Promise<unknown>
        mutate(): Promise<unknown>
        subscribe(_: undefined, listeners: Record<string, (what?: unknown) => void>): unknown
      }
    >
    note(await api['get']?.query())
    await api['fail']?.mutate().catch((error: Error) => note(error.message))
    await new Promise<void>((resolve) =>
      api['ticks']?.subscribe(undefined, { onData: note, onComplete: () => resolve(), onError: note }),
    )
    note(await Promise.all([api['get']?.query(), api['get']?.query()]))
    await client.close()
  },
}

function ids(): () => string {
  let last = 0
  return () => String(++last)
}

/** What the user of a library gets, and what is on the wire in both directions. */
async function transcript(library: Library, isTraced: boolean): Promise<unknown[]> {
  const { wss, url } = await listen(
    library.protocols === undefined ? {} : { handleProtocols: () => library.protocols ?? false },
  )
  if (isTraced) traceWebSocketServer(wss, { route: '/api' })
  const got: unknown[] = []
  const received: string[] = []
  const sent: string[] = []
  wss.on('connection', (socket) => socket.on('message', (data, binary) => received.push(`${binary} ${data}`)))
  library.serve(wss)
  const Base = isTraced ? tracedClient() : WsClient
  class Client extends Base {
    constructor(...args: ConstructorParameters<typeof WsClient>) {
      super(...args)
      this.on('message', (data, binary) => sent.push(`${binary} ${data}`))
    }
  }
  const closed = new Promise<unknown>((resolve) =>
    wss.once('connection', (socket) => void once(socket, 'close').then(([code]) => resolve(code))),
  )
  await library.use(url, Client as never, (what) => got.push(JSON.parse(JSON.stringify(what))))
  const code = await closed
  await close(wss)
  // Stack traces of failures contain what called the handler.
  const plain = (text: string) => text.replace(/"stack":"(?:[^"\\]|\\.)*"/g, '"stack":""')
  return [got, received.map(plain), sent.map(plain), code]
}

it.each([
  ['graphql-ws', graphql],
  ['tRPC', trpc],
])('%s behaves as without otel-ws, and writes the same', async (_, library) => {
  await operations.serve()
  const plain = await transcript(library, false)
  const traced = await transcript(library, true)
  expect(traced).toEqual(plain)
  expect((plain[0] as unknown[]).length).toBeGreaterThan(5)
  expect(operations.names().some((name) => name.startsWith('process'))).toBe(true)
})
