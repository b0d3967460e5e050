import { once } from 'node:events'
import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { defineProtocol, jsonOperations, type TelemetryOptions } from '@otel-ws/core'
import { connect, kindOf, linkTo, Telemetry, type TestClient } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'

type Message = Record<string, unknown>

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

/** Starts a server and connects a client. `receive` handles the messages of the client. */
async function open(
  receive: (socket: WebSocket, message: Message, text: string) => unknown,
  options: TelemetryOptions = {},
): Promise<TestClient> {
  wss = new WebSocketServer({ port: 0, host: '127.0.0.1' })
  traceWebSocketServer(wss, { route: '/rpc', ...options })
  wss.on('connection', (socket) =>
    socket.on(
      'message',
      kindOf(receive, (data: Buffer) => receive(socket, JSON.parse(String(data)) as Message, String(data))),
    ),
  )
  await once(wss, 'listening')
  return connect(`ws://127.0.0.1:${(wss.address() as { port: number }).port}/`)
}

const send = (to: { send(text: string): void }, message: unknown) => to.send(JSON.stringify(message))

/** What is asserted of a span. */
function facts(name: string, n = 1) {
  const span = telemetry.spans(name)[n - 1]
  const attributes = span?.attributes ?? {}
  return {
    kind: span?.kind,
    status: span?.status.code,
    name: attributes['websocket.operation.name'],
    type: attributes['websocket.operation.type'],
    id: attributes['websocket.operation.id'],
    outcome: attributes['websocket.operation.outcome'],
    error: attributes['error.type'],
  }
}

const OK = { kind: SpanKind.SERVER, status: SpanStatusCode.UNSET, outcome: 'ok', error: undefined }

it('links calls beyond maxChildSpans of a handler to what caused them', async () => {
  const client = await open(
    (socket, { method }) => {
      if (method === 'start') for (const id of [1, 2, 3]) send(socket, { jsonrpc: '2.0', id, method: 'client.do' })
    },
    { protocol: 'json-rpc', maxChildSpans: 2 },
  )
  send(client, { jsonrpc: '2.0', method: 'start' })
  for (const id of [1, 2, 3]) {
    await client.next()
    send(client, { jsonrpc: '2.0', id, result: true })
  }
  await telemetry.waitForSpan('send client.do', 3)
  const process = telemetry.span('process start')
  const [first, second, third] = telemetry.spans('send client.do')
  for (const call of [first, second]) {
    expect(call?.parentSpanContext?.spanId).toBe(process.spanContext().spanId)
    expect(call?.links).toEqual([])
  }
  expect(third?.parentSpanContext).toBeUndefined()
  expect(third?.links).toEqual([linkTo(telemetry.span('GET /rpc')), linkTo(process, 'cause')])
})

describe('a server that answers later', () => {
  it('records a call until its answer, with its name and outcome, and no span for the answer', async () => {
    const client = await open((socket, { id, method }) =>
      setTimeout(() => {
        const error = method === 'fail' ? { error: { code: -32000, message: 'secret' } } : { result: 1 }
        send(socket, { jsonrpc: '2.0', id, ...error })
      }, 20),
    )
    send(client, { jsonrpc: '2.0', id: 1, method: 'user.get' })
    await client.next()
    send(client, { jsonrpc: '2.0', id: 'a', method: 'fail' })
    await client.next()
    await telemetry.waitForSpan('process fail')
    expect(facts('process user.get')).toEqual({ ...OK, name: 'user.get', type: 'call', id: '1' })
    expect(facts('process fail')).toEqual({
      kind: SpanKind.SERVER,
      status: SpanStatusCode.ERROR,
      name: 'fail',
      type: 'call',
      id: 'a',
      outcome: 'error',
      error: '-32000',
    })
    const [seconds, nanoseconds] = telemetry.span('process user.get').duration
    expect(seconds * 1000 + nanoseconds / 1e6).toBeGreaterThan(15)
    expect(telemetry.names().filter((name) => name.startsWith('send'))).toEqual([])
    expect(JSON.stringify(telemetry.spans().map(({ attributes, events }) => [attributes, events]))).not.toContain(
      'secret',
    )
    const rows = await telemetry.collect()
    const durations = rows.filter(({ name }) => name === 'websocket.server.operation.duration')
    expect(durations.map(({ attributes, count }) => [attributes['websocket.operation.name'], count])).toEqual([
      ['user.get', 1],
      ['fail', 1],
    ])
    expect(rows.filter(({ name }) => name === 'websocket.server.message.process.duration')).toEqual([])
    const active = rows.find(({ name }) => name === 'websocket.server.operation.active')
    expect(active?.value).toBe(0)
  })

  it('lets a message of a stranger not choose a protocol', async () => {
    const client = await open((socket) => socket.send('welcome'))
    send(client, { jsonrpc: '2.0', id: 1, method: 'invented' })
    for (let sent = 1; sent <= 6; sent++) {
      await client.next()
      client.send('{}')
    }
    await client.close()
    await telemetry.waitForSpan('close /rpc')
    expect(new Set(telemetry.names())).toEqual(
      new Set(['GET /rpc', 'open /rpc', 'process /rpc', 'send /rpc', 'close /rpc']),
    )
    expect(telemetry.spans().every(({ attributes }) => attributes['websocket.protocol'] === undefined)).toBe(true)
    expect(telemetry.spans('process /rpc').map(({ status }) => status.code)).not.toContain(SpanStatusCode.ERROR)
    const [row] = await telemetry.collect('websocket.server.message.process.duration')
    expect(row?.count).toBe(7)
  })

  it('runs handlers under the span of their call, also after the answer is sent by another', async () => {
    const client = await open(async (socket, { id }) => {
      await null
      trace.getTracer('app').startSpan(`work ${id}`).end()
      send(socket, { jsonrpc: '2.0', id, result: null })
    })
    send(client, { jsonrpc: '2.0', id: 5, method: 'do' })
    await client.next()
    const span = await telemetry.waitForSpan('process do')
    expect(telemetry.span('work 5').parentSpanContext?.spanId).toBe(span.spanContext().spanId)
  })

  it('ends a call whose handler throws as failed, once', async () => {
    const failed = new Promise((resolve) => process.once('unhandledRejection', resolve))
    const client = await open(
      async () => {
        await null
        throw new RangeError('down')
      },
      { protocol: 'json-rpc' },
    )
    send(client, { jsonrpc: '2.0', id: 5, method: 'do' })
    await failed
    await telemetry.waitForSpan('process do')
    expect(facts('process do')).toEqual({
      ...OK,
      status: SpanStatusCode.ERROR,
      name: 'do',
      type: 'call',
      id: '5',
      outcome: 'error',
      error: 'RangeError',
    })
  })

  it('ends what is not answered with its connection', async () => {
    const client = await open(() => {}, { protocol: 'json-rpc' })
    send(client, { jsonrpc: '2.0', id: 1, method: 'never' })
    await telemetry.waitUntilStarted('process call')
    client.socket.close()
    await telemetry.waitForSpan('close /rpc')
    expect(facts('process never')).toMatchObject({ outcome: 'disconnected', status: SpanStatusCode.ERROR })
  })

  it('records both requests of an id that is used twice, each with one outcome', async () => {
    const client = await open(
      (socket, { method, id }) => method === 'second' && send(socket, { jsonrpc: '2.0', id, result: 1 }),
      {
        protocol: 'json-rpc',
      },
    )
    send(client, { jsonrpc: '2.0', id: 1, method: 'first' })
    send(client, { jsonrpc: '2.0', id: 1, method: 'second' })
    await client.next()
    await telemetry.waitForSpan('process second')
    expect(facts('process first').outcome).toBe('abandoned')
    expect(facts('process second').outcome).toBe('ok')
  })

  it('ends a request that is too old as timed out', async () => {
    const client = await open(() => {}, { protocol: 'json-rpc', maxOperationAge: 50 })
    send(client, { jsonrpc: '2.0', id: 1, method: 'slow' })
    await telemetry.waitForSpan('process slow')
    expect(facts('process slow')).toMatchObject({ outcome: 'timeout', status: SpanStatusCode.ERROR, error: 'timeout' })
  })

  it('follows no more than maxOperations at once', async () => {
    const client = await open(() => {}, { protocol: 'json-rpc', maxOperations: 2 })
    for (let id = 1; id <= 3; id++) send(client, { jsonrpc: '2.0', id, method: `m${id}` })
    await telemetry.waitForSpan('process m1')
    expect(facts('process m1').outcome).toBe('abandoned')
    const active = await telemetry.collect('websocket.server.operation.active')
    expect(active.map(({ value }) => value)).toEqual([2])
  })
})

describe('a batch', () => {
  it('has one span, and one for each of its requests', async () => {
    const client = await open(
      (socket, batch) =>
        send(
          socket,
          (batch as unknown as Message[]).map(({ id }) => ({ jsonrpc: '2.0', id, result: id })),
        ),
      { protocol: 'json-rpc' },
    )
    send(client, [
      { jsonrpc: '2.0', id: 1, method: 'a' },
      { jsonrpc: '2.0', id: 2, method: 'b' },
    ])
    await client.next()
    const batch = await telemetry.waitForSpan('process batch')
    expect(batch.kind).toBe(SpanKind.INTERNAL)
    expect(batch.attributes['websocket.batch.size']).toBe(2)
    for (const name of ['a', 'b']) {
      expect(facts(`process ${name}`)).toMatchObject({ ...OK, name })
      expect(telemetry.span(`process ${name}`).parentSpanContext?.spanId).toBe(batch.spanContext().spanId)
    }
  })
})

describe('a server that asks', () => {
  it('records the call until the answer, whose handlers run in its context', async () => {
    const client = await open(
      (socket, { method, result }) => {
        if (method === 'start') send(socket, { jsonrpc: '2.0', id: 's1', method: 'confirm' })
        if (result !== undefined) trace.getTracer('app').startSpan('answered').end()
      },
      { protocol: 'json-rpc' },
    )
    send(client, { jsonrpc: '2.0', method: 'start' })
    expect(JSON.parse(await client.next())).toEqual({ jsonrpc: '2.0', id: 's1', method: 'confirm' })
    send(client, { jsonrpc: '2.0', id: 's1', result: true })
    const span = await telemetry.waitForSpan('send confirm')
    expect(facts('send confirm')).toEqual({ ...OK, kind: SpanKind.CLIENT, name: 'confirm', type: 'call', id: 's1' })
    expect(span.parentSpanContext?.spanId).toBe(telemetry.span('process start').spanContext().spanId)
    expect(telemetry.span('answered').parentSpanContext?.spanId).toBe(span.spanContext().spanId)
  })
})

describe('jsonOperations', () => {
  const protocol = jsonOperations({
    id: '$.req',
    name: '$.action',
    error: '$.error',
    item: 'chunk',
    end: ['done', 'finished'],
    cancel: 'stop',
    event: 'log',
  })

  it('reads requests, answers of several parts, cancels and events', async () => {
    const client = await open(
      (socket, { req, action }) => {
        if (action === 'list') {
          for (const part of [1, 2, 3]) send(socket, { req, action: 'chunk', part })
          send(socket, { req, action: 'done' })
        } else if (action === 'get') send(socket, { req, error: null, value: 1 })
        else if (action === 'bad') send(socket, { req, error: 'E_BAD' })
        else if (action === 'stop') send(socket, { bye: true })
      },
      { protocol },
    )
    for (const action of ['list', 'get', 'bad', 'hang', 'log']) send(client, { req: `r-${action}`, action })
    send(client, { req: 'r-hang', action: 'stop' })
    for (let messages = 0; messages < 7; messages++) await client.next()
    await telemetry.waitForSpan('process hang')
    expect(facts('process list')).toMatchObject({ name: 'list', id: 'r-list', outcome: 'ok' })
    expect(facts('process get').outcome).toBe('ok')
    expect(facts('process bad')).toMatchObject({ outcome: 'error', status: SpanStatusCode.ERROR, error: 'error' })
    expect(facts('process hang')).toMatchObject({ outcome: 'cancelled', status: SpanStatusCode.UNSET })
    expect(telemetry.span('process log').kind).toBe(SpanKind.INTERNAL)
    const complete = telemetry.span('complete list')
    expect(complete.attributes).toMatchObject({
      'websocket.protocol': 'json',
      'websocket.stream.items': 3,
      'websocket.operation.outcome': 'ok',
    })
    expect(complete.links.map(({ attributes }) => attributes?.['websocket.link.kind']).sort()).toEqual([
      'handshake',
      'operation',
    ])
  })

  it('refuses a format without paths', () => {
    expect(() => jsonOperations({ id: '$.id' } as never)).toThrow(/needs a path in member name/)
    expect(() => jsonOperations({ id: '$.', name: '$.a' })).toThrow(/'\$\.' is no path/)
    expect(() => jsonOperations({ id: '$.a', name: '$.a', ends: 'x' } as never)).toThrow(/no member ends/)
  })
})

describe('defineProtocol', () => {
  it('is called with both directions, and changes nothing when it throws', async () => {
    const seen: [string | undefined, boolean][] = []
    const protocol = defineProtocol({
      name: 'mine',
      read(message, { isSent }) {
        seen.push([message.text('a.b[1]'), isSent])
        throw new Error('broken')
      },
    })
    const client = await open((socket, _, text) => socket.send(text), { protocol })
    send(client, { a: { b: [0, 'x'] } })
    expect(JSON.parse(await client.next())).toEqual({ a: { b: [0, 'x'] } })
    await telemetry.waitForSpan('send /rpc')
    expect(seen).toEqual([
      ['x', false],
      ['x', true],
    ])
    expect(telemetry.span('process /rpc').attributes['websocket.protocol']).toBe('mine')
    expect(telemetry.diagnostics.filter((line) => line.includes('option protocol'))).toHaveLength(1)
  })

  it('changes nothing when it reads what is no record', async () => {
    const results: unknown[] = [{ kind: 'request', id: 7 }, { kind: 'request', id: {}, name: 1 }, 'request', null, 5]
    const protocol = defineProtocol({ name: 'mine', read: () => results.shift() as never })
    const client = await open((socket, _, text) => socket.send(text), { protocol })
    for (let n = 0; n < 5; n++) {
      send(client, { n })
      expect(JSON.parse(await client.next())).toEqual({ n })
    }
    await client.close()
    await telemetry.waitForSpan('close /rpc')
    expect(telemetry.spans('process /rpc')).toHaveLength(5)
  })

  it('refuses a definition that is not complete', () => {
    expect(() => defineProtocol({ name: 'A b', read: () => undefined })).toThrow(/name of a protocol/)
    expect(() => defineProtocol({ name: 'a' } as never)).toThrow(/needs a function read/)
    expect(() => defineProtocol({ name: 'a', read: () => undefined, ids: 1 } as never)).toThrow(/no member ids/)
  })
})

it.each([
  ['JSON-RPC', 'json-rpc', { jsonrpc: '2.0' }, 'method'],
  ['a format of its own', jsonOperations({ id: '$.id', name: '$.do' }), {}, 'do'],
])('names a call _OTHER whose name lies outside of what is read: %s', async (_, protocol, head, member) => {
  const client = await open((socket, { id }) => send(socket, { ...head, id, result: 1 }), { protocol })
  send(client, { ...head, id: 1, params: ['x'.repeat(20_000)], [member]: 'user.get', more: 'y'.repeat(2000) })
  await client.next()
  await telemetry.waitForSpan('process _OTHER')
  expect(facts('process _OTHER')).toEqual({ ...OK, name: '_OTHER', type: 'call', id: '1' })
})
