import { createRequire } from 'node:module'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { type Client, createClient } from 'graphql-ws'
import { useServer } from 'graphql-ws/use/ws'
import { afterEach, describe, expect, it } from 'vitest'
import type { ClientOptions } from '../../src/index.ts'
import { Operations, tracedClient } from './fixture.ts'

// The copy that graphql-ws has: Vitest would load another one, of ES modules.
const { buildSchema, GraphQLError } = createRequire(import.meta.url)('graphql') as typeof import('graphql')

const operations = new Operations()
let client: Client | undefined

afterEach(() => client?.dispose())

const schema = buildSchema(`
  type Query { hello: String boom: String slow: String }
  type Mutation { save: String }
  type Subscription { ticks(count: Int!): Int }
`)

const span = (name: string) => trace.getTracer('app').startSpan(name).end()

const roots = {
  query: {
    hello: async () => {
      await null
      span('load')
      return 'hi'
    },
    boom: () => {
      throw new GraphQLError('db down: secret', { extensions: { code: 'DB_DOWN' } })
    },
    slow: () => new Promise(() => {}),
  },
  mutation: { save: () => 'saved' },
  subscription: {
    async *ticks({ count }: { count: number }) {
      for (let tick = 0; tick < count; tick++) {
        if (tick > 0) span('tick')
        yield { ticks: tick }
      }
    },
  },
}

async function start(options: ClientOptions = {}): Promise<Client> {
  const wss = await operations.serve({}, { handleProtocols: () => 'graphql-transport-ws' })
  useServer({ schema, roots }, wss)
  client = createClient({
    url: operations.url,
    webSocketImpl: tracedClient(options),
    connectionParams: { password: 'hunter2' },
  })
  return client
}

/** Runs an operation to its end. Resolves with the number of its results. */
function run(graphql: Client, query: string, onNext: (count: number) => void = () => {}): Promise<number> {
  return new Promise((resolve, reject) => {
    let count = 0
    const next = () => onNext(++count)
    graphql.subscribe({ query }, { next, error: reject, complete: () => resolve(count) })
  })
}

describe('graphql-ws on both ends', () => {
  it('records queries and mutations from the call to the answer, in one trace per end', async () => {
    const graphql = await start()
    await run(graphql, 'query Hello { hello }')
    await run(graphql, 'mutation Save { save }')
    await operations.telemetry.waitForSpan('process Save')
    const ok = { status: SpanStatusCode.UNSET, outcome: 'ok', error: undefined }
    expect(operations.facts('process Hello')).toEqual({ ...ok, kind: SpanKind.SERVER, name: 'Hello', type: 'query' })
    expect(operations.facts('send Hello')).toEqual({ ...ok, kind: SpanKind.CLIENT, name: 'Hello', type: 'query' })
    expect(operations.facts('process Save')).toMatchObject({ ...ok, type: 'mutation' })
    const { attributes } = operations.telemetry.span('process Hello')
    expect(attributes).toMatchObject({
      'websocket.protocol': 'graphql-transport-ws',
      'graphql.operation.name': 'Hello',
      'graphql.operation.type': 'query',
    })
    expect(operations.telemetry.span('load').parentSpanContext?.spanId).toBe(
      operations.telemetry.span('process Hello').spanContext().spanId,
    )
    expect(operations.names()).toEqual(['load', 'process Hello', 'process Save', 'send Hello', 'send Save'])
  })

  it('records errors of resolvers and of validation by their code alone', async () => {
    const graphql = await start()
    await run(graphql, 'query Boom { boom }')
    await run(graphql, 'query Wrong { nothing }').catch(() => {})
    await operations.telemetry.waitForSpan('process Wrong')
    const failed = { status: SpanStatusCode.ERROR, outcome: 'error' }
    expect(operations.facts('process Boom')).toMatchObject({ ...failed, name: 'Boom', error: 'DB_DOWN' })
    expect(operations.facts('send Boom')).toMatchObject({ ...failed, error: 'DB_DOWN' })
    expect(operations.facts('process Wrong')).toMatchObject({ ...failed, error: 'error' })
    expect(operations.recorded()).not.toMatch(/secret|nothing|hunter2/)
  })

  it('ends a subscription at its first item and records its end, in traces of their own', async () => {
    const graphql = await start()
    let own = 0
    await run(graphql, 'subscription Ticks { ticks(count: 10000) }', (count) => {
      if (count > 1) return
      own++
      span('item handled')
    })
    await operations.telemetry.waitForSpan('complete Ticks', 2)
    const [process] = operations.telemetry.spans('process Ticks')
    expect(operations.facts('process Ticks')).toMatchObject({ kind: SpanKind.SERVER, type: 'subscription' })
    expect(operations.facts('process Ticks').outcome).toBe(undefined)
    for (const complete of operations.telemetry.spans('complete Ticks')) {
      expect(complete.attributes).toMatchObject({
        'websocket.stream.items': 10_000,
        'websocket.operation.outcome': 'ok',
        'websocket.operation.type': 'subscription',
      })
      expect(complete.status.code).toBe(SpanStatusCode.UNSET)
    }
    expect(own).toBe(1)
    const inTrace = operations.telemetry
      .spans()
      .filter((one) => one.spanContext().traceId === process?.spanContext().traceId)
    expect(inTrace.length).toBeLessThan(10)
    expect(operations.telemetry.spans('tick').every(({ parentSpanContext }) => parentSpanContext === undefined)).toBe(
      true,
    )
    expect(operations.telemetry.span('item handled').parentSpanContext).toBe(undefined)
    const rows = await operations.telemetry.collect()
    const counts = (name: string) => rows.filter((row) => row.name === name).map(({ count }) => count)
    expect(counts('websocket.server.stream.duration')).toEqual([1])
    expect(counts('websocket.server.operation.items')).toEqual([1])
    expect(counts('websocket.client.operation.items')).toEqual([1])
    // Of `connection_init`.
    expect(counts('websocket.server.message.process.duration')).toEqual([1])
    expect(counts('websocket.server.operation.duration')).toEqual([])
  })

  it('records a cancelled query and one whose connection ends', async () => {
    const graphql = await start()
    await run(graphql, 'query Hello { hello }')
    const cancel = graphql.subscribe({ query: 'query Slow { slow }' }, { next() {}, error() {}, complete() {} })
    await operations.telemetry.waitUntilStarted('process query')
    cancel()
    await operations.telemetry.waitForSpan('process Slow')
    expect(operations.facts('process Slow')).toMatchObject({ outcome: 'cancelled', status: SpanStatusCode.UNSET })
    expect(operations.facts('send Slow')).toMatchObject({ outcome: 'cancelled', status: SpanStatusCode.UNSET })
    graphql.subscribe({ query: 'query Slow { slow }' }, { next() {}, error() {}, complete() {} })
    await operations.telemetry.waitUntilStarted('process Slow')
    graphql.terminate()
    await operations.telemetry.waitForSpan('process Slow', 2)
    await operations.telemetry.waitForSpan('send Slow', 2)
    expect(operations.facts('process Slow', 2)).toMatchObject({ outcome: 'disconnected', status: SpanStatusCode.ERROR })
    expect(operations.facts('send Slow', 2)).toMatchObject({ outcome: 'disconnected', status: SpanStatusCode.ERROR })
  })
})
