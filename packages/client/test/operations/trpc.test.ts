import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { createTRPCClient, createWSClient, wsLink } from '@trpc/client'
import { initTRPC, TRPCError } from '@trpc/server'
import { applyWSSHandler } from '@trpc/server/adapters/ws'
import { afterEach, describe, expect, it } from 'vitest'
import { traceTrpcLink } from '../../src/index.ts'
import { Operations, tracedClient } from './fixture.ts'

const operations = new Operations()
let closeClient: (() => unknown) | undefined

afterEach(() => closeClient?.())

const t = initTRPC.create()
const span = (name: string) => trace.getTracer('app').startSpan(name).end()
const pause = (milliseconds: number) => new Promise((resolve) => setTimeout(resolve, milliseconds))

const router = t.router({
  user: t.router({
    get: t.procedure.query(async () => {
      await pause(60)
      span('load user')
      return { name: 'Ada' }
    }),
    fail: t.procedure.mutation((): string => {
      throw new TRPCError({ code: 'CONFLICT', message: 'db down: secret' })
    }),
  }),
  ticks: t.procedure.subscription(async function* ({ signal }) {
    for (let tick = 0; tick < 3; tick++) yield tick
    if (signal?.aborted !== true) await new Promise((resolve) => signal?.addEventListener('abort', resolve))
  }),
})

async function start() {
  const wss = await operations.serve()
  applyWSSHandler({ wss: wss as never, router, createContext: () => ({}) })
  const client = createWSClient({
    url: operations.url,
    WebSocket: tracedClient() as never,
    connectionParams: async () => ({ token: 'hunter2' }),
  })
  closeClient = () => client.close()
  return createTRPCClient<typeof router>({ links: [traceTrpcLink(), wsLink({ client })] })
}

describe('tRPC on both ends, which no option names', () => {
  it('records the first procedure as the second, as long as it runs, and none of its secrets', async () => {
    operations.url = ''
    const api = await start()
    await api.user.get.query()
    await api.user.get.query()
    await api.user.fail.mutate().catch(() => {})
    await operations.telemetry.waitForSpan('process user.fail')
    for (const n of [1, 2]) {
      expect(operations.facts('process user.get', n)).toEqual({
        kind: SpanKind.SERVER,
        status: SpanStatusCode.UNSET,
        name: 'user.get',
        type: 'query',
        outcome: 'ok',
        error: undefined,
      })
      const [seconds, nanoseconds] = operations.telemetry.spans('process user.get')[n - 1]?.duration ?? [0, 0]
      expect(seconds * 1000 + nanoseconds / 1e6).toBeGreaterThanOrEqual(55)
    }
    expect(operations.facts('send user.get')).toMatchObject({ kind: SpanKind.CLIENT, outcome: 'ok' })
    const failed = { status: SpanStatusCode.ERROR, outcome: 'error', name: 'user.fail', error: 'CONFLICT' }
    expect(operations.facts('process user.fail')).toMatchObject(failed)
    expect(operations.facts('send user.fail')).toMatchObject(failed)
    const parents = operations.telemetry.spans('process user.get').map((one) => one.spanContext().spanId)
    const loads = operations.telemetry.spans('load user').map((one) => one.parentSpanContext?.spanId)
    expect(loads).toEqual(parents)
    expect(operations.recorded()).not.toMatch(/hunter2|secret|Ada/)
  })

  it('has each of several calls that are sent at once under its own caller', async () => {
    const api = await start()
    const tracer = trace.getTracer('app')
    await Promise.all(
      ['first', 'second', 'third'].map((name) =>
        tracer.startActiveSpan(name, async (span) => {
          await api.user.get.query()
          span.end()
        }),
      ),
    )
    const sends = operations.telemetry.spans('send user.get')
    const callers = ['first', 'second', 'third'].map((name) => operations.telemetry.span(name).spanContext().spanId)
    expect(sends.map((one) => one.parentSpanContext?.spanId).sort()).toEqual(callers.sort())
  })

  it('records a subscription until it has begun, and its end when it is stopped', async () => {
    const api = await start()
    await api.user.get.query()
    const items: unknown[] = []
    await new Promise<void>((resolve) => {
      const subscription = api.ticks.subscribe(undefined, {
        onData(item) {
          if (items.push(item) === 3) subscription.unsubscribe()
        },
        onComplete: resolve,
        onStopped: resolve,
      })
    })
    const [first, second] = [
      await operations.telemetry.waitForSpan('complete ticks', 1),
      await operations.telemetry.waitForSpan('complete ticks', 2),
    ]
    for (const { attributes, status } of [first, second]) {
      expect(attributes).toMatchObject({
        'websocket.protocol': 'trpc',
        'websocket.stream.items': 3,
        'websocket.operation.outcome': 'cancelled',
      })
      expect(status.code).toBe(SpanStatusCode.UNSET)
    }
    expect(operations.facts('process ticks')).toMatchObject({ kind: SpanKind.SERVER, type: 'subscription' })
    expect(operations.facts('send ticks')).toMatchObject({ kind: SpanKind.CLIENT })
  })
})
