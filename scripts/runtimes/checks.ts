import { deepEqual, equal, match, ok, rejects } from 'node:assert/strict'
import { setTimeout as delay } from 'node:timers/promises'
import {
  connect,
  type EventHarness,
  type EventHost,
  HEADER_OFFER,
  type Host,
  type HostOptions,
  milliseconds,
  type Telemetry,
} from '@otel-ws/testkit'

/** What the checks of a host have in common. */
interface Stage {
  readonly telemetry: Telemetry
}

/** A check of a host whose users have sockets. */
type Check = (
  stage: Stage & { readonly route: string; serve(options?: Partial<HostOptions>): Promise<Host> },
) => Promise<void>

/** A check of a host of named events. */
type EventCheck = (
  stage: Stage & {
    readonly harness: EventHarness
    serve(options: Parameters<EventHarness['start']>[0]): Promise<EventHost>
  },
) => Promise<void>

const TIME = 30
/** A timer may fire a little early by the clock of spans. */
const SLACK = 2
const TRACE_ID = '4bf92f3577b34da6a3ce929d0e0e4736'
const CARRIER = `"_otel":{"traceparent":"00-${TRACE_ID}-00f067aa0ba902b7-01"}`

/** The checks, each a column of the table of runtimes, for hosts whose users have sockets. */
export const checks = {
  async handshakes({ telemetry, route, serve }) {
    const host = await serve()
    const client = await connect(host.url)
    const span = await telemetry.waitForSpan(`GET ${route}`)
    equal(span.attributes['http.response.status_code'], 101)
    equal(span.attributes['client.address'], '127.0.0.1')
    await client.close(1000)
    await telemetry.waitForSpan(`close ${route}`)
  },

  async rejections({ telemetry, route, serve }) {
    const host = await serve({ authorize: () => 401 })
    await rejects(connect(host.url))
    const span = await telemetry.waitForSpan(`GET ${route}`)
    equal(span.attributes['websocket.handshake.outcome'], 'rejected')
    equal(span.attributes['http.response.status_code'], 401)
  },

  async 'async handlers'({ telemetry, route, serve }) {
    const host = await serve({
      connection: (socket) =>
        socket.onMessage(async (data) => {
          await delay(TIME)
          if (data === 'fail') throw new TypeError('on purpose')
          socket.send(data)
        }),
    })
    const client = await connect(host.url)
    client.send('hello')
    equal(await client.next(), 'hello')
    const process = await telemetry.waitForSpan(`process ${route}`)
    ok(milliseconds(process) >= TIME - SLACK, `the span of the handler took ${milliseconds(process)} ms`)
    const send = await telemetry.waitForSpan(`send ${route}`)
    equal(send.parentSpanContext?.spanId, process.spanContext().spanId)
    const linked = process.links.map(({ context }) => context.spanId)
    deepEqual(linked, [telemetry.span(`GET ${route}`).spanContext().spanId])
    client.send('fail')
    const failed = await telemetry.waitForSpan(`process ${route}`, 2)
    equal(failed.attributes['error.type'], 'TypeError')
    await client.close(1000)
  },

  async 'context in messages'({ telemetry, route, serve }) {
    const host = await serve({ connection: (socket) => socket.onMessage((data) => socket.send(data)) })
    const client = await connect(host.url, [], { headers: { 'otel-ws': HEADER_OFFER } })
    client.send(`{${CARRIER},"a":1}`)
    const answer = await client.next()
    const process = await telemetry.waitForSpan(`process ${route}`)
    equal(process.spanContext().traceId, TRACE_ID)
    match(answer, new RegExp(`^\\{"_otel":\\{"traceparent":"00-${TRACE_ID}-[0-9a-f]{16}-01"\\},"a":1\\}$`))
    await client.close(1000)
  },

  async closes({ telemetry, route, serve }) {
    const host = await serve({
      connection: (socket) => socket.onMessage((data) => (data === 'leave' ? socket.close(4002, 'enough') : undefined)),
    })
    const leaves = [
      (client: Awaited<ReturnType<typeof connect>>) => void client.close(4001),
      (client: Awaited<ReturnType<typeof connect>>) => client.send('leave'),
      (client: Awaited<ReturnType<typeof connect>>) => client.socket.terminate(),
    ]
    for (const [index, leave] of leaves.entries()) {
      const client = await connect(host.url)
      leave(client)
      await telemetry.waitForSpan(`close ${route}`, index + 1)
    }
    deepEqual(
      telemetry
        .spans(`close ${route}`)
        .map(({ attributes }) => [attributes['websocket.close.code'], attributes['websocket.close.initiator']]),
      [
        [4001, 'remote'],
        [4002, 'local'],
        [1006, 'network'],
      ],
    )
  },

  async metrics({ telemetry, route, serve }) {
    const host = await serve({ connection: (socket) => socket.onMessage((data) => socket.send(data)) })
    const client = await connect(host.url)
    for (const text of ['a', 'bc']) {
      client.send(text)
      await client.next()
    }
    await client.close(1000)
    await telemetry.waitForSpan(`close ${route}`)
    const rows = await telemetry.collect()
    const total = (name: string) =>
      rows.filter((row) => row.name === name).reduce((sum, { value, count }) => sum + (value ?? count ?? 0), 0)
    equal(total('websocket.server.message.process.duration'), 2)
    equal(total('websocket.server.connection.duration'), 1)
    equal(total('websocket.server.active_connections'), 0)
  },
} satisfies Readonly<Record<string, Check>>

/** The same for hosts of named events. */
export const eventChecks: Readonly<Record<keyof typeof checks, EventCheck>> = {
  async handshakes({ telemetry, harness, serve }) {
    const client = await (await serve({})).connect()
    await telemetry.waitForSpan(harness.names.handshake)
    await client.leave()
  },

  async rejections({ telemetry, harness, serve }) {
    const host = await serve({
      authorize() {
        throw new Error('no')
      },
    })
    await rejects(host.connect())
    const span = await telemetry.waitForSpan(harness.names.handshake)
    equal(span.attributes['websocket.handshake.outcome'], 'rejected')
  },

  async 'async handlers'({ telemetry, serve }) {
    const host = await serve({
      events: {
        async say(socket, data) {
          await delay(TIME)
          if (data === 'fail') throw new TypeError('on purpose')
          socket.emit('said', data)
        },
      },
    })
    const client = await host.connect()
    client.emit('say', 'hello')
    equal((await client.next()).name, 'said')
    const process = await telemetry.waitForSpan('process say')
    ok(milliseconds(process) >= TIME - SLACK, `the span of the handler took ${milliseconds(process)} ms`)
    const send = await telemetry.waitForSpan('send said')
    equal(send.parentSpanContext?.spanId, process.spanContext().spanId)
    client.emit('say', 'fail')
    const failed = await telemetry.waitForSpan('process say', 2)
    equal(failed.attributes['error.type'], 'TypeError')
    await client.leave()
  },

  async 'context in messages'({ telemetry, serve }) {
    const host = await serve({ events: { say: (socket) => socket.emit('said') } })
    const client = await host.connect({ offer: '1' })
    client.emit('say', 'hello', { traceparent: `00-${TRACE_ID}-00f067aa0ba902b7-01` })
    const answer = await client.next()
    const process = await telemetry.waitForSpan('process say')
    equal(process.spanContext().traceId, TRACE_ID)
    match(String(answer.carrier?.['traceparent']), new RegExp(`^00-${TRACE_ID}-`))
    await client.leave()
  },

  async closes({ telemetry, harness, serve }) {
    const host = await serve({ events: { leave: (socket) => socket.disconnect() } })
    const left = await host.connect()
    await left.leave()
    const gone = await host.connect()
    gone.emit('leave')
    await gone.closed
    const name = `close ${harness.names.route}`
    await telemetry.waitForSpan(name, 2)
    deepEqual(
      telemetry
        .spans(name)
        .map(({ attributes }) => [attributes['websocket.close.code'], attributes['websocket.close.initiator']]),
      [
        [harness.closes.leave.code, harness.closes.leave.initiator],
        [harness.closes.disconnect.code, harness.closes.disconnect.initiator],
      ],
    )
  },

  async metrics({ telemetry, harness, serve }) {
    const host = await serve({ events: { say: (socket) => socket.emit('said') } })
    const client = await host.connect()
    client.emit('say')
    await client.next()
    await client.leave()
    await telemetry.waitForSpan(`close ${harness.names.route}`)
    const rows = await telemetry.collect('websocket.server.message.process.duration')
    equal(rows.length, 1)
    equal(rows[0]?.count, 1)
  },
}

export type CheckName = keyof typeof checks
