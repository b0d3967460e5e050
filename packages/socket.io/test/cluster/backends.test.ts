import { SpanKind } from '@opentelemetry/api'
import { traceEmitter } from '@otel-ws/socket.io'
import { Telemetry } from '@otel-ws/testkit'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { BACKENDS, type Cluster } from './adapters.ts'
import { ALL, answer, connected, join, NONE, type Node, startNode } from './nodes.ts'

/** Registers the global context manager and propagator. Each node has its own SDK. */
const global = new Telemetry()

beforeAll(() => global.install())
afterAll(() => global.uninstall())

describe.each(BACKENDS)('three nodes over $name', (backend) => {
  let cluster: Cluster
  let a: Node
  let b: Node
  let c: Node

  beforeAll(async () => {
    cluster = await backend.start()
    ;[a, b, c] = [
      await startNode({ adapter: await cluster.adapter() }),
      await startNode({ adapter: await cluster.adapter() }),
      await startNode({ adapter: await cluster.adapter() }),
    ]
    await connected([a, b, c])
  }, 60_000)

  afterEach(async () => {
    for (const node of [a, b, c]) {
      await node.empty()
      expect(node.sdk.openSpans()).toEqual([])
      node.sdk.forget()
    }
  })

  afterAll(async () => {
    for (const node of [a, b, c]) await node.close()
    await cluster.stop()
  })

  /** The broadcast on one node and its deliveries on the others: one trace. */
  async function expectOneTrace(name: string, from: Node, recipients: number, others: [Node, number][]): Promise<void> {
    const broadcast = await from.sdk.waitForSpan(`broadcast ${name}`)
    expect(broadcast.kind).toBe(SpanKind.INTERNAL)
    expect(broadcast.links).toEqual([])
    expect(broadcast.status.code).toBe(0)
    expect(broadcast.attributes).toMatchObject({
      'websocket.route': '/',
      'websocket.namespace': '/',
      'websocket.message.name': name,
      'websocket.broadcast.recipients': recipients,
      'websocket.broadcast.skipped': 0,
    })
    for (const [node, count] of others) {
      const deliver = await node.sdk.waitForSpan(`deliver ${name}`)
      expect(deliver.kind).toBe(SpanKind.INTERNAL)
      expect(deliver.parentSpanContext).toEqual({ ...broadcast.spanContext(), isRemote: true })
      expect(deliver.links).toEqual([])
      const lag = deliver.attributes['websocket.deliver.lag']
      expect(lag).toBeGreaterThanOrEqual(0)
      expect(lag).toBeLessThan(60)
      const { 'websocket.message.type': type, 'websocket.message.size': size } = broadcast.attributes
      const { 'websocket.broadcast.rooms': rooms, 'websocket.broadcast.except': except } = broadcast.attributes
      expect(deliver.attributes).toEqual({
        'websocket.route': '/',
        'websocket.namespace': '/',
        'websocket.message.name': name,
        'websocket.message.type': type,
        'websocket.message.size': size,
        'websocket.broadcast.recipients': count,
        'websocket.broadcast.skipped': 0,
        'websocket.deliver.lag': lag,
        ...(rooms && { 'websocket.broadcast.rooms': rooms }),
        ...(except && { 'websocket.broadcast.except': except }),
      })
      expect(node.sdk.names().filter((one) => one === `deliver ${name}`)).toHaveLength(1)
      expect(node.sdk.spans(`broadcast ${name}`)).toEqual([])
    }
    expect(from.sdk.spans(`deliver ${name}`)).toEqual([])
  }

  it('make one trace of io.emit', async () => {
    const clients = [await join(a), await join(a), await join(b)]
    a.io.emit('said', 'hello')
    for (const client of clients) expect(await client.next()).toBe('42["said","hello"]')
    await expectOneTrace('said', a, 2, [
      [b, 1],
      [c, 0],
    ])
  })

  it('make one trace of to().except().emit, under the span that sends it', async () => {
    const inside = await join(b, 'room')
    const outside = await join(b, 'room', 'quiet')
    const own = await join(a, 'room')
    const far = await join(c, 'room')
    const tracer = a.sdk.tracerProvider.getTracer('application')
    tracer.startActiveSpan('work', (work) => {
      a.io
        .to('room')
        .except('quiet')
        .emit('told', { deep: [1, 2] })
      work.end()
    })
    for (const client of [inside, own, far]) expect(await client.next()).toBe('42["told",{"deep":[1,2]}]')
    await expectOneTrace('told', a, 1, [
      [b, 1],
      [c, 1],
    ])
    expect(a.sdk.span('broadcast told').attributes).toMatchObject({
      'websocket.broadcast.rooms': ['room'],
      'websocket.broadcast.except': ['quiet'],
    })
    expect(a.sdk.span('broadcast told').parentSpanContext?.spanId).toBe(a.sdk.span('work').spanContext().spanId)
    expect(outside.queued).toBe(0)
  })

  it('make one trace of socket.broadcast, without its sender', async () => {
    const sender = await join(a)
    const receivers = [await join(a), await join(c)]
    const [socket] = [...a.io.sockets.sockets.values()].slice(0, 1)
    socket?.broadcast.emit('shared', 1)
    for (const client of receivers) expect(await client.next()).toBe('42["shared",1]')
    await expectOneTrace('shared', a, 1, [
      [b, 0],
      [c, 1],
    ])
    // The room of a single socket is its session id, which is no name for a span.
    expect(a.sdk.span('broadcast shared').attributes['websocket.broadcast.except']).toBeUndefined()
    expect(sender.queued).toBe(0)
  })

  it('make one trace of a message with an attachment', async () => {
    const clients = [await join(a), await join(b)]
    a.io.emit('picture', Buffer.from([1, 2, 3]))
    for (const client of clients) {
      expect(await client.next()).toBe('451-["picture",{"_placeholder":true,"num":0}]')
      expect((await client.nextMessage()).data).toEqual(Buffer.from([1, 2, 3]))
    }
    await expectOneTrace('picture', a, 1, [
      [b, 1],
      [c, 0],
    ])
    expect(a.sdk.span('broadcast picture').attributes['websocket.message.type']).toBe('binary')
  })

  it('make one trace of emitWithAck to many, which lasts until all have answered', async () => {
    const clients = [await join(a), await join(b), await join(c)]
    const responses = a.io.timeout(30_000).emitWithAck('asked', '?')
    for (const [index, client] of clients.entries()) answer(client, await client.next(), index)
    expect((await responses).sort()).toEqual([0, 1, 2])
    await expectOneTrace('asked', a, 1, [
      [b, 1],
      [c, 1],
    ])
    expect(a.sdk.span('broadcast asked').attributes['websocket.ack.outcome']).toBe('ok')
  })

  it('record acknowledgements that do not arrive', async () => {
    const clients = [await join(a), await join(b)]
    const responses = a.io.timeout(300).emitWithAck('unanswered')
    const [first] = clients
    if (first !== undefined) answer(first, await first.next(), 'yes')
    await expect(responses).rejects.toThrow('operation has timed out')
    await expectOneTrace('unanswered', a, 1, [
      [b, 1],
      [c, 0],
    ])
    expect(a.sdk.span('broadcast unanswered').attributes['websocket.ack.outcome']).toBe('timeout')
  })

  it('make one trace of serverSideEmit where the adapter publishes the carrier', async () => {
    const work = Promise.resolve()
    for (const node of [b, c])
      node.io.on('refresh', async (value: unknown) => expect([value, await work]).toEqual([7, undefined]))
    a.io.serverSideEmit('refresh', 7)
    const broadcast = await a.sdk.waitForSpan('broadcast refresh')
    expect(broadcast.attributes).not.toHaveProperty('websocket.broadcast.recipients')
    for (const { sdk, io } of [b, c]) {
      const deliver = await sdk.waitForSpan('deliver refresh')
      expect(deliver.kind).toBe(SpanKind.INTERNAL)
      expect(deliver.status.code).toBe(0)
      expect(deliver.parentSpanContext).toEqual(
        backend.carriesServerSideEmit ? { ...broadcast.spanContext(), isRemote: true } : undefined,
      )
      expect('websocket.deliver.lag' in deliver.attributes).toBe(backend.carriesServerSideEmit)
      io.removeAllListeners('refresh')
    }
    expect(a.sdk.spans('deliver refresh')).toEqual([])
  })

  it('record the answers to serverSideEmit', async () => {
    for (const node of [b, c]) node.io.on('count', (reply: (count: number) => void) => reply(1))
    expect(await a.io.serverSideEmitWithAck('count')).toEqual([1, 1])
    expect((await a.sdk.waitForSpan('broadcast count')).attributes['websocket.ack.outcome']).toBe('ok')
    for (const { sdk, io } of [b, c]) {
      await sdk.waitForSpan('deliver count')
      io.removeAllListeners('count')
    }
  })

  it('keep a local broadcast on its node', async () => {
    const own = await join(a)
    await join(b)
    a.io.local.emit('here')
    expect(await own.next()).toBe('42["here"]')
    // What follows on the same path arrives after it.
    a.io.emit('everywhere')
    await expectOneTrace('everywhere', a, 1, [
      [b, 1],
      [c, 0],
    ])
    expect((await a.sdk.waitForSpan('broadcast here')).attributes['websocket.broadcast.recipients']).toBe(1)
    expect(b.sdk.spans('deliver here')).toEqual([])
  })

  it.runIf(backend.hasEmitter)('make one trace of what an emitter publishes', async () => {
    const sdk = new Telemetry()
    const emitter = traceEmitter(await cluster.emitter(), {
      tracerProvider: sdk.tracerProvider,
      meterProvider: sdk.meterProvider,
    })
    const clients = [await join(a, 'room'), await join(b, 'room'), await join(c, 'room')]
    const quiet = await join(a, 'room', 'quiet')
    const messages: [string, () => unknown][] = [
      ['plain', () => emitter.emit('plain', 1)],
      ['to', () => emitter.to('room').except('quiet').emit('to', 1)],
      ['volatile', () => emitter.volatile.in('room').emit('volatile', 1)],
    ]
    // The emitter for Postgres forgets its channel prefix in `of`.
    if (!backend.name.startsWith('Postgres')) messages.push(['of', () => emitter.of('/').emit('of', 1)])
    for (const [name, emit] of messages) {
      sdk.tracerProvider.getTracer('job').startActiveSpan('job', (job) => {
        emit()
        job.end()
      })
      for (const client of clients) expect(await client.next()).toBe(`42["${name}",1]`)
      if (name !== 'to') expect(await quiet.next()).toBe(`42["${name}",1]`)
      const broadcast = sdk.span(`broadcast ${name}`)
      expect(broadcast.kind).toBe(SpanKind.INTERNAL)
      expect(broadcast.parentSpanContext?.spanId).toBe(sdk.spans('job').at(-1)?.spanContext().spanId)
      expect(broadcast.attributes).toEqual({
        'websocket.route': '/',
        'websocket.namespace': '/',
        'websocket.message.name': name,
      })
      for (const [index, node] of [a, b, c].entries()) {
        const deliver = await node.sdk.waitForSpan(`deliver ${name}`)
        expect(deliver.parentSpanContext).toEqual({ ...broadcast.spanContext(), isRemote: true })
        expect(deliver.attributes['websocket.broadcast.recipients']).toBe(index === 0 && name !== 'to' ? 2 : 1)
        expect(node.sdk.spans(`deliver ${name}`)).toHaveLength(1)
      }
    }
    expect(await sdk.collect('websocket.server.broadcast.recipients')).toEqual([])
    await sdk.tracerProvider.shutdown()
  })

  it('measure lag and recipients on every node, sampled or not', async () => {
    const before = await Promise.all([a, b, c].map((node) => totals(node)))
    const clients = [await join(b), await join(b)]
    a.sdk.sampler = NONE
    a.io.emit('unsampled')
    for (const client of clients) expect(await client.next()).toBe('42["unsampled"]')
    const grown = async () => {
      const after = await Promise.all([a, b, c].map((node) => totals(node)))
      return after.map((now, index) => ({
        recipients: now.recipients - (before[index]?.recipients ?? 0),
        broadcasts: now.broadcasts - (before[index]?.broadcasts ?? 0),
        delivered: now.delivered - (before[index]?.delivered ?? 0),
      }))
    }
    // There are no spans to wait for.
    await expect.poll(grown, { timeout: 30_000 }).toEqual([
      { recipients: 0, broadcasts: 1, delivered: 0 },
      { recipients: 2, broadcasts: 1, delivered: 1 },
      { recipients: 0, broadcasts: 1, delivered: 1 },
    ])
    a.sdk.sampler = ALL
    expect([a, b, c].map(({ sdk }) => sdk.names().filter((name) => name.endsWith('unsampled')))).toEqual([[], [], []])
  })
})

/** Sums of a node's broadcast histograms. */
async function totals({ sdk }: Node): Promise<{ recipients: number; broadcasts: number; delivered: number }> {
  const recipients = await sdk.collect('websocket.server.broadcast.recipients')
  const lag = await sdk.collect('websocket.server.deliver.lag')
  return {
    recipients: recipients.reduce((sum, row) => sum + (row.sum ?? 0), 0),
    broadcasts: recipients.reduce((sum, row) => sum + (row.count ?? 0), 0),
    delivered: lag.reduce((sum, row) => sum + (row.count ?? 0), 0),
  }
}
