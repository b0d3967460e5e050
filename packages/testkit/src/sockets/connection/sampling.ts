import { type Attributes, type Context, type SpanKind, trace } from '@opentelemetry/api'
import { AlwaysOffSampler, ParentBasedSampler, type Sampler, SamplingDecision } from '@opentelemetry/sdk-trace'
import { describe, expect, it } from 'vitest'
import { encodeFrame, OPCODE } from '../../testing/frames.ts'
import { echo, type Fixture, listen } from '../fixture.ts'
import type { Harness } from '../harness.ts'

/** Samples some names, and keeps what it was called with. */
class AskedSampler implements Sampler {
  readonly asked: string[] = []
  readonly attributes: Attributes[] = []
  readonly #sampled: (name: string, nth: number) => boolean

  constructor(sampled: (name: string, nth: number) => boolean) {
    this.#sampled = sampled
  }

  shouldSample(_context: Context, _traceId: string, name: string, _kind: SpanKind, attributes: Attributes) {
    this.asked.push(name)
    this.attributes.push(attributes)
    const nth = this.asked.filter((each) => each === name).length
    return {
      decision: this.#sampled(name, nth) ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
    }
  }

  toString(): string {
    return 'AskedSampler'
  }
}

export function samplingTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const handshake = `GET ${route}`
  const process = `process ${route}`
  const send = `send ${route}`

  describe('sampling', () => {
    it('asks for each message trace by default, whatever became of the handshake', async () => {
      const sampler = new AskedSampler((name, nth) => name === process && nth === 2)
      fixture.telemetry.sampler = sampler
      const { client } = await fixture.open({ telemetry: { outgoing: false }, connection: echo })
      for (const text of ['a', 'b', 'c']) {
        client.send(text)
        await client.next()
      }
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([process])
      expect(fixture.telemetry.span(process).attributes['websocket.message.sequence']).toBe(2)
      expect(sampler.asked.filter((name) => name === process)).toHaveLength(3)
    })

    it('explains on the next span, and on the close, how many messages have none', async () => {
      const sampler = new AskedSampler((name, nth) =>
        name === process ? nth === 1 || nth === 4 : name === send ? nth === 2 : true,
      )
      fixture.telemetry.sampler = sampler
      const { client } = await fixture.open({ connection: echo })
      for (const text of ['1', '2', '3', '4', '5']) {
        client.send(text)
        await client.next()
      }
      await client.close(1000)
      await fixture.settle()
      const RECEIVED = 'websocket.connection.messages.received.unrecorded'
      const SENT = 'websocket.connection.messages.sent.unrecorded'
      const counts = (name: string) =>
        fixture.telemetry
          .spans(name)
          .map(({ attributes }) => [
            attributes['websocket.message.sequence'],
            attributes[RECEIVED],
            attributes[SENT],
            attributes['websocket.connection.messages.sent.broadcast'],
          ])
      expect(counts(process)).toEqual([
        [1, undefined, undefined, undefined],
        [4, 2, undefined, undefined],
      ])
      // The sampler is asked for the sends of sampled messages alone.
      expect(counts(send)).toEqual([[4, undefined, 3, undefined]])
      expect(counts(`close ${route}`)).toEqual([[undefined, 3, 4, undefined]])
    })

    it('may send messages of its own, which get no span that would ask it again', async () => {
      const { client, socket } = await fixture.open({ connection: listen })
      let asked = 0
      fixture.telemetry.sampler = {
        shouldSample() {
          asked++
          socket.send('from the sampler')
          return { decision: SamplingDecision.RECORD_AND_SAMPLED }
        },
        toString: () => 'a sampler that sends',
      }
      client.send('x')
      expect(await client.next()).toBe('from the sampler')
      await fixture.telemetry.waitForSpan(process)
      fixture.telemetry.sampler = new AlwaysOffSampler()
      await fixture.settle()
      expect(asked).toBe(1)
      expect(fixture.telemetry.spans(send)).toEqual([])
    })

    it('by connection leaves out everything after a handshake that was not sampled, without asking', async () => {
      const sampler = new AskedSampler((name) => name !== handshake)
      fixture.telemetry.sampler = harness.connectionSampler(new ParentBasedSampler({ root: sampler }))
      const { client } = await fixture.open({ telemetry: { messageSampling: 'connection' }, connection: echo })
      client.send('x')
      await client.next()
      await client.close(1000)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([])
      expect(sampler.asked).not.toContain(process)
      expect(sampler.asked).not.toContain(send)
    })

    it('by connection samples everything after a handshake that was', async () => {
      fixture.telemetry.sampler = harness.connectionSampler({
        shouldSample: (_context, _traceId, name) => ({
          decision: name === handshake ? SamplingDecision.RECORD_AND_SAMPLED : SamplingDecision.NOT_RECORD,
        }),
        toString: () => 'handshakes only',
      })
      const { client, socket } = await fixture.open({
        telemetry: { messageSampling: 'connection' },
        connection: listen,
      })
      client.send('x')
      const inherited = await fixture.telemetry.waitForSpan(process)
      expect(inherited.attributes['websocket.sampling.inherited']).toBe(true)
      expect(fixture.telemetry.diagnostics).toEqual([])
      socket.send('push')
      await client.next()
      await fixture.telemetry.waitForSpan(send)
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
    })

    it('by connection says once that the sampler of the SDK does not inherit', async () => {
      fixture.telemetry.sampler = new AskedSampler((name) => name === handshake)
      const { client } = await fixture.open({ telemetry: { messageSampling: 'connection' }, connection: echo })
      for (let n = 0; n < 2; n++) {
        client.send('x')
        await client.next()
      }
      expect(fixture.telemetry.diagnostics.splice(0)).toEqual([expect.stringContaining('connectionSampler(')])
      await client.close(1000)
    })

    it('when off makes no span, and leaves the context of the application in place', async () => {
      fixture.telemetry.sampler = new AlwaysOffSampler()
      const { client } = await fixture.open({ connection: echo })
      client.send('x')
      expect(await client.next()).toBe('x')
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([])
      expect(fixture.telemetry.counts()).toEqual({ started: 0, ended: 0 })
    })

    it('gives the sampler the name of the message', async () => {
      const sampler = new AskedSampler(() => true)
      fixture.telemetry.sampler = sampler
      const { client } = await fixture.open({ telemetry: { messageName: '$.type' }, connection: echo })
      client.send('{"type":"say"}')
      await client.next()
      await fixture.telemetry.waitForSpan('process say')
      expect(sampler.asked).toContain('process say')
    })
  })

  describe('span budget', () => {
    it('bounds the spans of a connection, not its metrics, and is on the close span', async () => {
      const host = await fixture.serve({
        telemetry: { maxMessageSpansPerSecond: 0.001, outgoing: false },
        connection(socket) {
          socket.onMessage((data) => data === 'last' && socket.send('done'))
        },
      })
      const client = await fixture.rawConnect(host)
      client.write(
        ...Array.from({ length: 9 }, () => encodeFrame(OPCODE.text, 'flood')),
        encodeFrame(OPCODE.text, 'last'),
      )
      expect((await client.nextFrame()).payload.toString()).toBe('done')
      const calm = await fixture.connect(host)
      calm.send('calm')
      await fixture.telemetry.waitForSpan(process, 2)
      await fixture.settle()
      expect(fixture.telemetry.spans(process)).toHaveLength(2)
      const dropped = fixture.telemetry
        .spans(`close ${route}`)
        .map((span) => span.attributes['websocket.connection.spans.dropped'])
      expect(dropped.sort()).toEqual([9, undefined])
      const [lost] = await fixture.telemetry.collect('websocket.server.spans.dropped')
      expect(lost).toMatchObject({
        value: 9,
        attributes: { 'websocket.route': route, 'websocket.spans.drop.reason': 'connection_budget' },
      })
      const rows = await fixture.telemetry.collect('websocket.server.messages')
      expect(rows.find((row) => row.attributes['websocket.message.direction'] === 'receive')?.value).toBe(11)
    })

    it('counts messages over it in the sequence', async () => {
      const host = await fixture.serve({
        telemetry: { maxMessageSpansPerSecond: 1, messageSampling: 'independent' },
        connection: listen,
      })
      const client = await fixture.rawConnect(host)
      client.write(encodeFrame(OPCODE.text, 'a'), encodeFrame(OPCODE.text, 'b'))
      const first = await fixture.telemetry.waitForSpan(process)
      expect(first.attributes['websocket.message.sequence']).toBe(1)
      client.send(OPCODE.close)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(close.attributes['websocket.connection.messages.received']).toBe(2)
    })
  })

  describe('span budget of the process', () => {
    it('is shared by connections, asks no sampler for what is over it, and is on the close span', async () => {
      const sampler = new AskedSampler(() => true)
      fixture.telemetry.sampler = sampler
      const host = await fixture.serve({
        telemetry: { maxSpansPerSecond: 0.001, outgoing: false },
        connection(socket) {
          socket.onMessage((data) => data === 'last' && socket.send('done'))
        },
      })
      const client = await fixture.rawConnect(host)
      client.write(
        ...Array.from({ length: 9 }, () => encodeFrame(OPCODE.text, 'flood')),
        encodeFrame(OPCODE.text, 'last'),
      )
      expect((await client.nextFrame()).payload.toString()).toBe('done')
      client.send(OPCODE.close)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      // Handshake and connection handler have taken what there was.
      expect(sampler.asked).not.toContain(process)
      expect(close.attributes).toMatchObject({
        'websocket.connection.spans.dropped': 10,
        'websocket.connection.messages.received': 10,
        'websocket.connection.messages.received.unrecorded': 10,
      })
      expect(await fixture.telemetry.collect('websocket.server.spans.dropped')).toMatchObject([
        { value: 10, attributes: { 'websocket.route': route, 'websocket.spans.drop.reason': 'process_budget' } },
      ])
      const durations = await fixture.telemetry.collect('websocket.server.message.process.duration')
      expect(durations.map((row) => row.count)).toEqual([10])
    })

    it('runs what is over it in an unsampled context, and takes nothing for what the sampler leaves out', async () => {
      let isOver = false
      const active: (number | undefined)[] = []
      fixture.telemetry.sampler = new AskedSampler((name) => isOver || name !== process)
      const host = await fixture.serve({
        // Three for the handshake and the handler of the connection, one for a message.
        telemetry: { maxSpansPerSecond: 3.5, outgoing: false },
        connection(socket) {
          socket.onMessage((data) => {
            active.push(trace.getActiveSpan()?.spanContext().traceFlags)
            socket.send(data)
          })
        },
      })
      const client = await fixture.connect(host)
      for (let n = 0; n < 20; n++) {
        client.send('not sampled')
        await client.next()
      }
      expect(await fixture.telemetry.collect('websocket.server.spans.dropped')).toEqual([])
      isOver = true
      for (let n = 0; n < 20; n++) {
        client.send('sampled')
        await client.next()
      }
      const sampled = fixture.telemetry.spans(process).length
      expect(sampled).toBeGreaterThan(0)
      expect(sampled).toBeLessThan(20)
      expect(active.filter((flags) => flags === 1)).toHaveLength(sampled)
      expect(active.filter((flags) => flags === 0)).toHaveLength(40 - sampled)
      await client.close(1000)
    })

    it('never cuts what a sampled message contains', async () => {
      const { client } = await fixture.open({
        telemetry: { maxSpansPerSecond: 4 },
        connection(socket) {
          socket.onMessage(() => {
            for (let n = 0; n < 50; n++) socket.send(`answer ${n}`)
          })
        },
      })
      client.send('x')
      for (let n = 0; n < 50; n++) await client.next()
      await fixture.telemetry.waitForSpan(send, 50)
      expect(fixture.telemetry.spans(process)).toHaveLength(1)
      await client.close(1000)
    })
  })

  describe('names in option aggregate', () => {
    it('have one span for the messages of a connection, which ends at its close', async () => {
      const { client } = await fixture.open({
        telemetry: { aggregate: ['cursor'], messageName: '$.type' },
        connection: echo,
      })
      for (const type of ['cursor', 'say', 'cursor']) {
        client.send(JSON.stringify({ type }))
        await client.next()
      }
      await client.close(1000)
      await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(fixture.telemetry.spans('process cursor')).toEqual([])
      expect(fixture.telemetry.spans('send cursor')).toEqual([])
      expect(fixture.telemetry.spans('process say')).toHaveLength(1)
      expect(fixture.telemetry.span('aggregate cursor').attributes).toMatchObject({
        'websocket.message.name': 'cursor',
        'websocket.aggregate.messages': 2,
        'websocket.aggregate.bytes': 34,
        'websocket.aggregate.failures': 0,
      })
      const at = ([seconds, nanoseconds]: readonly [number, number]) => seconds * 1000 + nanoseconds / 1e6
      const shared = fixture.telemetry.span('aggregate cursor')
      const between = fixture.telemetry.span('process say')
      expect(at(shared.startTime)).toBeLessThanOrEqual(at(between.startTime) + 1)
      expect(at(shared.endTime)).toBeGreaterThanOrEqual(at(between.endTime) - 1)
      const rows = await fixture.telemetry.collect('websocket.server.messages')
      const received = rows.filter((row) => row.attributes['websocket.message.direction'] === 'receive')
      expect(received.map((row) => [row.attributes['websocket.message.name'], row.value])).toEqual([
        ['cursor', 2],
        ['say', 1],
      ])
    })
  })

  describe('filters', () => {
    it.each([
      ['a list', { routes: [route] }],
      ['a pattern', { routes: [/^\/chat/] }],
      [
        'a predicate',
        (subject: { kind: string; route?: string }) => subject.kind === 'connection' && subject.route === route,
      ],
    ])('leave an ignored route alone: %s', async (_what, ignore) => {
      const host = await fixture.serve({ telemetry: { ignore }, connection: echo })
      const client = await fixture.connect(host)
      client.send('x')
      expect(await client.next()).toBe('x')
      await client.close(1000)
      await fixture.settle()
      expect(fixture.telemetry.counts()).toEqual({ started: 0, ended: 0 })
      expect((await fixture.telemetry.collect()).filter((row) => row.attributes['websocket.route'] === route)).toEqual(
        [],
      )
    })

    it.each([
      ['a list', { messages: ['noise'] }],
      ['a pattern', { messages: [/^no/] }],
      [
        'a predicate',
        (subject: { kind: string; name?: string }) => subject.kind === 'message' && subject.name === 'noise',
      ],
    ])('leave ignored messages out and count them: %s', async (_what, ignore) => {
      const { client } = await fixture.open({
        telemetry: { ignore, messageName: '$.type', outgoing: false },
        connection: echo,
      })
      client.send('{"type":"noise"}')
      await client.next()
      client.send('{"type":"say"}')
      await client.next()
      await fixture.telemetry.waitForSpan('process say')
      await client.close(1000)
      const close = await fixture.telemetry.waitForSpan(`close ${route}`)
      expect(fixture.telemetry.names()).toEqual([handshake, `close ${route}`, `open ${route}`, 'process say'])
      expect(fixture.telemetry.span('process say').attributes['websocket.message.sequence']).toBe(2)
      expect(close.attributes['websocket.connection.messages.received']).toBe(2)
      const durations = await fixture.telemetry.collect('websocket.server.message.process.duration')
      expect(durations.map((row) => [row.attributes['websocket.message.name'], row.count])).toEqual([['say', 1]])
    })

    it('leave everything alone when disabled', async () => {
      const host = await fixture.serve({ telemetry: { enabled: false }, connection: echo })
      const client = await fixture.connect(host)
      client.send('x')
      expect(await client.next()).toBe('x')
      await fixture.settle()
      expect(fixture.telemetry.counts()).toEqual({ started: 0, ended: 0 })
    })
  })
}
