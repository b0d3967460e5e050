import { SpanKind } from '@opentelemetry/api'
import { createTelemetry } from '@otel-ws/core/adapter'
import { connectionOf, type SocketTracing, traceSocket, traceSocketServer } from '@otel-ws/socket.io'
import { driver, SCOPE, traceServersOf } from '@otel-ws/socket.io/adapter'
import { turns } from '@otel-ws/testkit'
import { Namespace, Server, Socket } from 'socket.io'
import type { Socket as ClientSocket } from 'socket.io-client'
import { describe, expect, it } from 'vitest'
import { joined } from './raw.ts'
import { type Listening, useServers } from './server.ts'

const fixture = useServers()

/** The route of the namespaces that {@link answering} creates by a regular expression. */
const ROOM = '/^\\/room-/'

class Forbidden extends Error {}

/** Answers the event `ask` in every namespace that is named, and in those of the regular expression. */
function answering(server: Listening, ...namespaces: (string | RegExp)[]): void {
  for (const name of namespaces) {
    server.io.of(name).on('connection', (socket) => socket.on('ask', (answer: (value: number) => void) => answer(1)))
  }
}

async function leave(server: Listening, client: ClientSocket, namespace: string): Promise<void> {
  const { sockets } = server.io.of(namespace)
  const id = client.id ?? ''
  client.disconnect()
  // A listener of `disconnect` would have a span.
  while (sockets.has(id)) await turns(1)
}

const outcomes = (name: string) =>
  fixture.telemetry
    .spans(name)
    .map(({ attributes }) => [
      attributes['websocket.handshake.outcome'],
      attributes['error.type'],
      attributes['error.message'],
    ])

describe('io.use(traceSocket())', () => {
  it('traces all namespaces from the first socket on, and the connections below later ones', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.use(traceSocket())
    answering(server, '/', '/news', /^\/room-/)
    const first = await fixture.join(server)
    await first.emitWithAck('ask')
    await leave(server, first, '/')
    await telemetry.waitForSpan('close /')
    expect(telemetry.names()).toEqual(['CONNECT /', 'close /', 'open /', 'process ask'])
    expect(telemetry.span('CONNECT /').kind).toBe(SpanKind.SERVER)
    telemetry.forget()
    for (const namespace of ['/news', '/room-1']) {
      const client = await fixture.join(server, namespace)
      await client.emitWithAck('ask')
      await leave(server, client, namespace)
    }
    await telemetry.waitForSpan(`close ${ROOM}`)
    expect(telemetry.names()).toEqual(
      [
        ...['CONNECT /news', 'GET /socket.io', 'close /news', 'open /news', 'process ask'],
        ...[`CONNECT ${ROOM}`, 'GET /socket.io', `close ${ROOM}`, `open ${ROOM}`, 'process ask'],
      ].sort(),
    )
  })

  it('adopts sockets of other namespaces: they are counted, and their totals are partial', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.use(traceSocket({ sessionId: true }))
    answering(server, '/', '/news')
    const arrival = joined(server, '/news')
    const early = await fixture.join(server, '/news')
    const socket = await arrival
    await early.emitWithAck('ask')
    expect(connectionOf(socket)).toBeUndefined()
    // The time of its handshake is known, although nothing was traced then.
    ;(socket.handshake as { issued: number }).issued -= 3_600_000
    const late = await fixture.join(server)
    const active = await telemetry.collect('websocket.server.connection.active')
    expect(active.map(({ attributes, value }) => [attributes['websocket.namespace'], value])).toEqual([
      ['/news', 1],
      ['/', 1],
    ])
    await early.emitWithAck('ask')
    await leave(server, early, '/news')
    const close = await telemetry.waitForSpan('close /news')
    expect(close.links).toEqual([])
    expect(close.attributes).toMatchObject({
      'websocket.connection.partial': true,
      'websocket.connection.messages.received': 1,
      'websocket.session.id': socket.id,
      'websocket.close.code': 1000,
    })
    expect(close.attributes['websocket.connection.duration']).toBeGreaterThan(3600)
    expect(telemetry.span('process ask').links).toEqual([])
    await leave(server, late, '/')
    expect((await telemetry.waitForSpan('close /')).attributes).not.toHaveProperty('websocket.connection.partial')
    expect((await telemetry.collect('websocket.server.connection.active')).map(({ value }) => value)).toEqual([0, 0])
    expect(telemetry.names()).toEqual(['CONNECT /', 'close /', 'close /news', 'open /', 'process ask'])
  })

  it('adopts no socket that option ignore excludes', async () => {
    const server = await fixture.listen()
    server.io.use(traceSocket({ ignore: { routes: ['/news'] } }))
    answering(server, '/news')
    const arrival = joined(server, '/news')
    const early = await fixture.join(server, '/news')
    const socket = await arrival
    await fixture.join(server)
    await early.emitWithAck('ask')
    expect(connectionOf(socket)).toBeUndefined()
    expect(fixture.telemetry.names()).toEqual(['CONNECT /', 'open /'])
  })

  it('changes no prototype', async () => {
    const prototypes = [Socket, Namespace, Server].map(({ prototype }) => prototype as object)
    const before = prototypes.map((prototype) => Object.getOwnPropertyDescriptors(prototype))
    const server = await fixture.listen()
    server.io.use(traceSocket())
    await fixture.join(server)
    expect(prototypes.map((prototype) => Object.getOwnPropertyDescriptors(prototype))).toEqual(before)
  })

  it('replaces the tracing of an instrumentation, on all namespaces', async () => {
    const { telemetry } = fixture
    const ambient = createTelemetry({ sessionId: true }, SCOPE, driver)
    const restore = traceServersOf(Namespace as never, () => ambient)
    try {
      const server = await fixture.listen()
      answering(server, '/', '/news')
      server.io.use(traceSocket({ connectionAttributes: () => ({ 'app.by': 'middleware' }) }))
      for (const namespace of ['/', '/news', '/late']) {
        answering(server, namespace)
        await leave(server, await fixture.join(server, namespace), namespace)
        const { attributes } = await telemetry.waitForSpan(`close ${namespace}`)
        expect(attributes).toMatchObject({ 'app.by': 'middleware' })
        expect(attributes).not.toHaveProperty('websocket.session.id')
      }
    } finally {
      restore()
    }
  })
})

describe('the middleware of one namespace', () => {
  it('traces that namespace alone', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.of('/news').use(traceSocket())
    answering(server, '/', '/news')
    for (const namespace of ['/', '/news', '/news']) {
      const client = await fixture.join(server, namespace)
      await client.emitWithAck('ask')
      await leave(server, client, namespace)
    }
    await telemetry.waitForSpan('close /news', 2)
    const once = ['CONNECT /news', 'close /news', 'open /news', 'process ask']
    expect(telemetry.names()).toEqual(once.flatMap((name) => [name, name]))
  })

  const servers: Readonly<Record<string, (io: Server) => unknown>> = {
    'io.use(traceSocket())': (io) => io.use(traceSocket()),
    'traceSocketServer(io)': (io) => traceSocketServer(io),
  }
  for (const [call, traceWhole] of Object.entries(servers)) {
    it.each(['before', 'after'])(`has precedence over ${call} and warns, registered %s it`, async (when) => {
      const { telemetry } = fixture
      const server = await fixture.listen()
      const own = () => server.io.of('/news').use(traceSocket({ sessionId: true, closeReason: true }))
      if (when === 'before') own()
      traceWhole(server.io)
      if (when === 'after') own()
      answering(server, '/', '/news')
      for (const namespace of ['/', '/news', '/', '/news']) {
        await leave(server, await fixture.join(server, namespace), namespace)
      }
      await telemetry.waitForSpan('close /news', 2)
      const sessions = ['/', '/news'].flatMap((name) =>
        telemetry.spans(`close ${name}`).map(({ attributes }) => typeof attributes['websocket.session.id']),
      )
      expect(sessions).toEqual(['undefined', 'undefined', 'string', 'string'])
      expect(telemetry.diagnostics.splice(0)).toEqual([
        expect.stringMatching(/namespace \/news has options of its own, which hold there: closeReason, sessionId$/),
      ])
    })
  }

  it('has precedence without a warning if its options are the same, also on the default namespace', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    traceSocketServer(server.io)
    const tracing = traceSocket()
    server.io.use(tracing)
    const client = await fixture.join(server)
    expect(telemetry.openSpans()).toEqual([])
    await tracing.shutdown()
    await leave(server, client, '/')
    await telemetry.waitForSpan('close /')
    expect(telemetry.names()).toEqual(['CONNECT /', 'GET /socket.io', 'close /', 'open /'])
  })

  it('can turn tracing off for it', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.of('/news').use(traceSocket({ enabled: false }))
    server.io.use(traceSocket())
    answering(server, '/', '/news')
    for (const namespace of ['/', '/news']) await leave(server, await fixture.join(server, namespace), namespace)
    await telemetry.waitForSpan('close /')
    expect(telemetry.names().filter((name) => name.includes('/news'))).toEqual([])
    expect(telemetry.diagnostics.splice(0)).toEqual([expect.stringContaining('hold there: enabled')])
  })

  it('is used once: a second one warns and changes nothing', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    server.io.use(traceSocket()).use(traceSocket({ sessionId: true }))
    for (let n = 0; n < 2; n++) await leave(server, await fixture.join(server), '/')
    await telemetry.waitForSpan('close /', 2)
    expect(telemetry.spans('CONNECT /')).toHaveLength(2)
    expect(telemetry.diagnostics.splice(0)).toEqual([
      expect.stringMatching(/namespace \/ is traced already: .*; ignored: sessionId$/),
    ])
  })
})

describe('a rejection by other middleware', () => {
  it('is recorded with class and message, also of the first sockets and of several at once', async () => {
    const { telemetry } = fixture
    const server = await fixture.listen()
    const waiting: (() => void)[] = []
    let arrived = (): void => {}
    const bothArrived = new Promise<void>((resolve) => {
      arrived = resolve
    })
    server.io.use((_socket, next) => {
      if (waiting.push(next) === 2) arrived()
    })
    server.io.use(traceSocket())
    server.io.use(async (_socket, next) => {
      await null
      next(new Forbidden('not today'))
    })
    const attempts = [fixture.join(server), fixture.join(server)]
    const results = Promise.allSettled(attempts)
    await bothArrived
    for (const next of waiting) next()
    for (const result of await results) expect(result).toMatchObject({ reason: { message: 'not today' } })
    expect(outcomes('CONNECT /')).toEqual([
      ['rejected', 'Forbidden', 'not today'],
      ['rejected', 'Forbidden', 'not today'],
    ])
    expect(telemetry.spans('CONNECT /')[0]?.attributes).toMatchObject({ 'client.address': '127.0.0.1' })
  })

  it('is recorded with its message if the application calls the middleware itself', async () => {
    const server = await fixture.listen()
    const tracing: SocketTracing = traceSocket()
    server.io.use((socket, next) => tracing(socket, next))
    server.io.use((_socket, next) => next(new Forbidden('not today')))
    await expect(fixture.join(server)).rejects.toThrow('not today')
    await expect(fixture.join(server)).rejects.toThrow('not today')
    expect(outcomes('CONNECT /')).toEqual([
      ['rejected', 'Error', 'not today'],
      ['rejected', 'Forbidden', 'not today'],
    ])
  })

  it('leaves the arguments, `this` and results of that middleware as they are', async () => {
    const transcripts = []
    for (const traced of [false, true]) {
      const server = await fixture.listen()
      const transcript: unknown[] = []
      if (traced) server.io.use(traceSocket())
      server.io.use(function (this: unknown, ...args: unknown[]) {
        const next = args[1] as (...args: unknown[]) => unknown
        transcript.push(args.length, Array.isArray(this), args[0] instanceof Socket, next.length, next(null, 'more'))
      })
      await fixture.join(server)
      transcripts.push(transcript)
    }
    expect(transcripts[1]).toEqual(transcripts[0])
  })
})
