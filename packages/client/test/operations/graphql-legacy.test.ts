import { createRequire } from 'node:module'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { SubscriptionClient, SubscriptionServer } from 'subscriptions-transport-ws'
import { afterEach, expect, it } from 'vitest'
import { Operations, tracedClient } from './fixture.ts'

// The copy that subscriptions-transport-ws has: Vitest would load another one, of ES modules.
const { buildSchema, execute, subscribe } = createRequire(import.meta.url)('graphql') as typeof import('graphql')

const operations = new Operations()
let client: SubscriptionClient | undefined

afterEach(() => client?.close())

it('records the operations of subscriptions-transport-ws on both ends', async () => {
  const schema = buildSchema('type Query { hello: String boom: String } type Subscription { ticks: Int }')
  const rootValue = {
    hello: () => 'hi',
    boom: () => {
      throw new Error('secret')
    },
    async *ticks() {
      for (const tick of [1, 2, 3]) yield { ticks: tick }
    },
  }
  const wss = await operations.serve({}, { handleProtocols: () => 'graphql-ws' })
  SubscriptionServer.create({ schema, rootValue, execute, subscribe } as never, wss as never)
  client = new SubscriptionClient(operations.url, { connectionParams: { token: 'hunter2' } }, tracedClient())
  const run = (query: string, operationName: string) =>
    new Promise<void>((resolve) => {
      client?.request({ query, operationName }).subscribe({ error: () => resolve(), complete: resolve })
    })
  await run('query Hello { hello }', 'Hello')
  await run('query Boom { boom }', 'Boom')
  await run('subscription Ticks { ticks }', 'Ticks')
  await operations.telemetry.waitForSpan('complete Ticks', 2)
  expect(operations.facts('process Hello')).toMatchObject({ kind: SpanKind.SERVER, type: 'query', outcome: 'ok' })
  expect(operations.facts('send Hello')).toMatchObject({ kind: SpanKind.CLIENT, outcome: 'ok' })
  expect(operations.facts('process Boom')).toMatchObject({ outcome: 'error', status: SpanStatusCode.ERROR })
  for (const { attributes } of operations.telemetry.spans('complete Ticks')) {
    expect(attributes).toMatchObject({
      'websocket.protocol': 'graphql-ws',
      'websocket.stream.items': 3,
      'websocket.operation.outcome': 'ok',
    })
  }
  expect(operations.recorded()).not.toMatch(/hunter2|secret/)
})
