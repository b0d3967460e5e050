import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { context, ROOT_CONTEXT, SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { type ClientOptions, connectionOf, traceSocket } from '@otel-ws/client/socket.io'
import { traceSocketServer } from '@otel-ws/socket.io'
import { Telemetry } from '@otel-ws/testkit'
import { Server, type Socket as ServerSocket } from 'socket.io'
import { type Socket as ClientSocket, connect, type ManagerOptions, type SocketOptions } from 'socket.io-client'
import * as msgpack from 'socket.io-msgpack-parser'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

const CLIENT = '@otel-ws/client'
const SERVER = '@otel-ws/socket.io'

describe('socket.io-client', () => {
  let telemetry: Telemetry
  let close: (() => Promise<unknown>)[]
  let clients: ClientSocket[]

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    close = []
    clients = []
  })

  afterEach(async () => {
    for (const client of clients) client.disconnect()
    for (const end of close) await end()
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    await telemetry.uninstall()
    expect(telemetry.diagnostics).toEqual([])
  })

  async function serve(connection: (socket: ServerSocket) => void, { traced = true, options = {}, port = 0 } = {}) {
    const http = createServer()
    const io = new Server(http, options)
    if (traced) traceSocketServer(io)
    io.of('/chat').on('connection', connection)
    http.listen(port, '127.0.0.1')
    await once(http, 'listening')
    const end = async (): Promise<void> => {
      http.closeAllConnections()
      await io.close()
    }
    close.push(end)
    return { io, url: `http://127.0.0.1:${(http.address() as AddressInfo).port}`, end }
  }

  function visit(
    url: string,
    traced: ClientOptions | null = {},
    options: Partial<ManagerOptions & SocketOptions> = {},
  ): ClientSocket {
    const client = connect(`${url}/chat`, { forceNew: true, autoConnect: false, transports: ['websocket'], ...options })
    clients.push(client)
    return traced === null ? client.connect() : traceSocket(client, traced).connect()
  }

  const connected = (client: ClientSocket) => new Promise<void>((resolve) => client.once('connect', resolve))
  const next = (client: ClientSocket, event: string) =>
    new Promise<unknown[]>((resolve) => client.once(event, (...args: unknown[]) => resolve(args)))
  const by = (scope: string, name: string): ReadableSpan => {
    const [span, ...more] = telemetry.spans(name).filter((one) => one.instrumentationScope.name === scope)
    if (span === undefined || more.length > 0) throw new Error(`not one ${name} of ${scope}: ${telemetry.names()}`)
    return span
  }
  const idOf = (span: ReadableSpan) => span.spanContext().spanId
  const parentOf = (span: ReadableSpan) => span.parentSpanContext?.spanId

  it.each([
    ['its own parser', {}],
    ['msgpack', { parser: msgpack }],
  ])('makes one trace of an event, its answer and its ack, with %s', async (_, parser) => {
    const seen: unknown[][] = []
    const { url } = await serve(
      (socket) => {
        socket.on('question', async (...args: unknown[]) => {
          const ack = args.pop() as (answer: string) => void
          seen.push(args)
          await Promise.resolve()
          socket.emit('hint', { n: 1 }, Buffer.from([1, 2, 3]))
          ack('answer')
        })
      },
      { options: parser },
    )
    const tracer = trace.getTracer('application')
    const click = tracer.startSpan('click', { root: true })
    const client = context.with(trace.setSpan(ROOT_CONTEXT, click), () => visit(url, {}, parser))
    await connected(client)
    const hint = next(client, 'hint')
    client.on('hint', () => tracer.startSpan('render').end())
    const answer = await context.with(trace.setSpan(ROOT_CONTEXT, click), () =>
      client.emitWithAck('question', 'why', new Uint8Array([9])),
    )
    click.end()
    expect(answer).toBe('answer')
    // The parsers make different classes of bytes.
    const bytesOf = (value: unknown): unknown =>
      typeof value === 'object' ? [...new Uint8Array(value as Buffer)] : value
    const [first, second, ...more] = await hint
    expect([first, bytesOf(second), ...more]).toEqual([{ n: 1 }, [1, 2, 3]])
    expect(seen.map((args) => args.map(bytesOf))).toEqual([['why', [9]]])
    await telemetry.waitForSpan('process hint')
    await telemetry.waitForSpan('process question')
    const sent = by(CLIENT, 'send question')
    const chain = [sent, by(SERVER, 'process question'), by(SERVER, 'send hint'), by(CLIENT, 'process hint')]
    expect([...chain, telemetry.span('render')].map(parentOf)).toEqual([click.spanContext().spanId, ...chain.map(idOf)])
    const connects = by(CLIENT, 'connect /chat')
    expect(parentOf(connects)).toBe(click.spanContext().spanId)
    const handshake = telemetry.spans().find((span) => span.name === 'CONNECT /chat')
    expect(handshake?.spanContext().traceId).toBe(click.spanContext().traceId)
    expect(sent.kind).toBe(SpanKind.CLIENT)
    const id = connectionOf(client)?.id
    expect(id).toMatch(/^[0-9a-f]{16}$/)
    for (const span of chain) {
      expect(span.attributes).toMatchObject({
        'websocket.connection.id': id,
        'websocket.route': '/chat',
        'websocket.namespace': '/chat',
        'websocket.message.sequence': 1,
        'websocket.message.type': 'binary',
      })
    }
    expect(sent.attributes['websocket.ack.outcome']).toBe('ok')
    if (_ === 'its own parser') {
      const sizes = chain.map(({ attributes }) => attributes['websocket.message.size'])
      expect([sizes[0], sizes[2]]).toEqual([sizes[1], sizes[3]])
    }
    client.disconnect()
    await telemetry.waitUntil(
      () => telemetry.spans('close /chat').length + telemetry.spans('disconnect /chat').length >= 2,
      'both closes',
    )
  })

  it('adds nothing for a server that does not agree', async () => {
    const seen: unknown[][] = []
    const { url } = await serve(
      (socket) => {
        socket.on('say', (...args: unknown[]) => {
          seen.push(args)
          socket.emit('said', ...args)
        })
      },
      { traced: false },
    )
    const client = visit(url)
    await connected(client)
    const said = next(client, 'said')
    client.emit('say', { a: 1 }, 2)
    expect(await said).toEqual([{ a: 1 }, 2])
    expect(seen).toEqual([[{ a: 1 }, 2]])
    await telemetry.waitForSpan('process said')
    expect(telemetry.span('process said').parentSpanContext).toBeUndefined()
    expect(telemetry.span('process said').links[0]?.attributes).toEqual({ 'websocket.link.kind': 'handshake' })
  })

  it('tells how the wait for an acknowledgement ended', async () => {
    const { url, io } = await serve(() => {})
    const client = visit(url)
    await connected(client)
    await expect(client.timeout(1).emitWithAck('slow')).rejects.toThrow('timed out')
    const cut = client.emitWithAck('cut')
    const dropped = new Promise((resolve) => client.once('disconnect', resolve))
    client.emit('never', () => {})
    io.of('/chat').disconnectSockets()
    await expect(cut).rejects.toThrow('disconnected')
    await dropped
    const outcome = (name: string) => telemetry.span(name).attributes['websocket.ack.outcome']
    expect(['send slow', 'send cut', 'send never'].map(outcome)).toEqual(['timeout', 'disconnected', 'disconnected'])
    const rows = await telemetry.collect('websocket.client.send.undelivered')
    expect(rows.map(({ value, attributes }) => [value, attributes['websocket.send.undelivered.reason']])).toEqual([
      [1, 'ack_timeout'],
    ])
  })

  it('ends a connect that the application gives up as abandoned, and begins anew', async () => {
    const { url } = await serve(() => {})
    const client = visit(url)
    client.disconnect()
    expect(telemetry.span('connect /chat').attributes['websocket.handshake.outcome']).toBe('abandoned')
    client.connect()
    await new Promise<void>((resolve) => client.once('connect', resolve))
    expect(telemetry.spans('connect /chat').map(({ attributes }) => attributes['websocket.handshake.outcome'])).toEqual(
      ['abandoned', 'accepted'],
    )
  })

  it('does not settle what is kept for the next connection', async () => {
    const { url } = await serve((socket) => {
      socket.on('q', (answer: (text: string) => void) => answer('answer'))
    })
    const client = visit(url)
    await new Promise<void>((resolve) => client.once('connect', resolve))
    // What the host finds when its ping is overdue: the event waits, and the connection is given up.
    const { engine } = client.io as unknown as { engine: { _hasPingExpired(): boolean } }
    engine._hasPingExpired = () => true
    const answered = new Promise((resolve) => client.emit('q', resolve))
    engine._hasPingExpired = () => false
    ;(client as unknown as { onclose(reason: string): void }).onclose('ping timeout')
    expect(telemetry.spans('send q')).toEqual([])
    ;(client as unknown as { onopen(): void }).onopen()
    expect(await answered).toBe('answer')
    const span = await telemetry.waitForSpan('send q')
    expect(span.attributes['websocket.ack.outcome']).toBe('ok')
  })

  it('covers handlers until they have settled, and until the ack that they owe', async () => {
    const { url, io } = await serve(() => {})
    const client = visit(url)
    await connected(client)
    let answer: (value: string) => void = () => {}
    let release = (): void => {}
    const asked = new Promise<void>((resolve) => {
      client.on('ask', (ack) => {
        answer = ack
        resolve()
      })
    })
    client.once('work', async () => new Promise<void>((resolve) => (release = resolve)))
    const [peer] = await io.of('/chat').fetchSockets()
    const answered = peer?.timeout(60_000).emitWithAck('ask')
    await asked
    const worked = next(client, 'work')
    peer?.emit('work')
    await worked
    const own = () => telemetry.openSpans().filter((name) => name.startsWith('process'))
    expect(own()).toEqual(['process ask', 'process work'])
    answer('yes')
    expect(await answered).toBe('yes')
    expect(own()).toEqual(['process work'])
    release()
    await telemetry.waitForSpan('process work')
    const ask = by(CLIENT, 'process ask')
    expect([ask.kind, ask.attributes['websocket.ack.outcome']]).toEqual([SpanKind.SERVER, 'ok'])
    expect(client.listeners('work')).toEqual([])
  })

  it('tells reconnects, and what was emitted meanwhile goes out then', async () => {
    const heard: unknown[] = []
    const first = await serve((socket) => socket.on('late', (text) => heard.push(text)))
    const client = visit(first.url, {}, { reconnectionDelay: 1, reconnectionDelayMax: 5 })
    await connected(client)
    const { port } = new URL(first.url)
    const dropped = new Promise((resolve) => client.once('disconnect', resolve))
    await first.end()
    await dropped
    close.length = 0
    client.emit('late', 'kept')
    const isBack = connected(client)
    const second = await serve((socket) => socket.on('late', (text) => heard.push(text)), { port: Number(port) })
    await isBack
    await telemetry.waitUntil(() => telemetry.spans('process late').length === 1, 'the late event')
    expect(heard).toEqual(['kept'])
    const connects = telemetry.spans('connect /chat')
    const [lost] = connects
    const replacing = connects.at(-1)
    expect(replacing?.attributes['websocket.reconnect.attempt']).toBe(connects.length - 1)
    expect(replacing?.links[0]?.context.spanId).toBe(lost?.spanContext().spanId)
    const [row] = await telemetry.collect('websocket.client.reconnects')
    expect(row?.value).toBe(1)
    expect(parentOf(by(SERVER, 'process late'))).toBe(idOf(by(CLIENT, 'send late')))
    expect(by(CLIENT, 'send late').attributes['websocket.message.sequence']).toBe(1)
    expect(by(CLIENT, 'close /chat').attributes['websocket.close.initiator']).not.toBe('local')
    await second.end()
    close.length = 0
  })

  it('tells a namespace that turns it away, and a server that is not there', async () => {
    const { url, io } = await serve(() => {})
    io.of('/chat').use((_, proceed) => proceed(new Error('no')))
    const failed = (client: ClientSocket) => new Promise<Error>((resolve) => client.once('connect_error', resolve))
    expect((await failed(visit(url))).message).toBe('no')
    const rejected = telemetry.span('connect /chat')
    expect(rejected.attributes['websocket.handshake.outcome']).toBe('rejected')
    expect(rejected.status.code).toBe(SpanStatusCode.ERROR)
    await io.close()
    close.length = 0
    await failed(visit(url, { route: '/gone' }, { reconnection: false }))
    expect(telemetry.span('connect /gone').attributes['websocket.handshake.outcome']).toBe('failed')
  })

  it('tells what a volatile event that is dropped was, and closes from either side', async () => {
    const { url, io } = await serve(() => {})
    const client = visit(url)
    client.volatile.emit('nobody', 1)
    await connected(client)
    const dropped = telemetry.span('send nobody')
    expect(dropped.attributes['websocket.send.undelivered.reason']).toBe('volatile')
    client.disconnect()
    expect(telemetry.span('close /chat').attributes).toMatchObject({
      'websocket.close.code': 1000,
      'websocket.close.initiator': 'local',
    })
    const other = visit(url)
    await connected(other)
    const gone = new Promise((resolve) => other.once('disconnect', resolve))
    io.of('/chat').disconnectSockets()
    await gone
    const [, second] = telemetry.spans('close /chat').filter((span) => span.instrumentationScope.name === CLIENT)
    expect(second?.attributes).toMatchObject({ 'websocket.close.code': 1000, 'websocket.close.initiator': 'remote' })
  })

  it('does not let an application notice', async () => {
    const run = async (traced: ClientOptions | null): Promise<unknown[]> => {
      const transcript: unknown[] = []
      const log = (...entry: unknown[]): void => void transcript.push(entry)
      const { url, end } = await serve((socket) => {
        socket.onAny((event, ...args) => {
          const ack = args.at(-1)
          if (typeof ack === 'function') ack('ok', args.length)
          socket.emit('echo', event, ...args.filter((value) => typeof value !== 'function'))
        })
      })
      const client = visit(url, traced)
      let count = 0
      const echoed = new Promise<void>((resolve) => {
        client.on('echo', () => {
          if (++count === 3) resolve()
        })
      })
      client.onAny((event, ...args) => log('any', event, args))
      client.onAnyOutgoing((event, ...args) => log('outgoing', event, args))
      const listener = (...args: unknown[]): void => log('on', args)
      client.on('echo', listener)
      client.on('echo', function (this: unknown) {
        log('this', this === client)
      })
      client.once('echo', listener)
      const removed = (): void => log('removed')
      client.on('echo', removed)
      client.off('echo', removed)
      client.once('echo', removed)
      client.off('echo', removed)
      log(client.listeners('echo').length, client.hasListeners('echo'))
      client.emit('before', 1)
      await connected(client)
      log(await client.emitWithAck('asked', 'x'))
      log(client.emit('binary', new Uint8Array([1]), { nested: Buffer.from([2]) }) === client)
      await echoed
      log(client.listeners('echo').length, client.sendBuffer, client.receiveBuffer)
      for (const name of ['connect', 'disconnect']) {
        try {
          client.emit(name)
        } catch (error) {
          log((error as Error).message)
        }
      }
      log(
        Object.keys(client).sort(),
        Object.keys(client.io).sort(),
        client.io.opts.query === undefined || traced !== null,
      )
      for (const name of ['emit', 'on', 'off', 'once', 'connect', 'disconnect', 'send'] as const)
        log(name, client[name].length)
      const gone = new Promise((resolve) => client.once('disconnect', (...args) => resolve(args)))
      client.disconnect()
      log(await gone, client.connected, client.active)
      await end()
      close.length = 0
      return transcript
    }
    const expected = await run(null)
    expect(expected.length).toBeGreaterThan(10)
    expect(await run({})).toEqual(expected)
  })
})
