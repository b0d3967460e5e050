import { SpanKind, SpanStatusCode, TraceFlags, trace } from '@opentelemetry/api'
import {
  AlwaysOnSampler,
  BatchSpanProcessor,
  type IdGenerator,
  ParentBasedSampler,
  type ReadableSpan,
  type Sampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
} from '@opentelemetry/sdk-trace'
import { Telemetry as Sdk } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Connection } from '../src/connection/connection.ts'
import { keepSampler } from '../src/index.ts'
import type { TelemetryOptions } from '../src/options/types.ts'
import { propagationTerms } from '../src/propagation/terms.ts'
import { KeepReserve } from '../src/services/keep-reserve.ts'
import { createTelemetry, type Telemetry } from '../src/telemetry.ts'

const driver = { text: (data: unknown) => String(data), bufferedAmount: () => 0 }
const REASON = 'websocket.keep.reason'
const REMOTE = '0af7651916cd43dd8448eb211c80319c'

/** Ids that a ratio of a hundredth leaves out, but for each 100th. */
class Ids implements IdGenerator {
  #traces = 0
  #spans = 0

  generateTraceId(): string {
    const isSampled = ++this.#traces % 100 === 0
    return `${(isSampled ? 1 : 0xff000000).toString(16).padStart(8, '0')}${'0'.repeat(16)}${(this.#traces + 1).toString(16).padStart(8, '0')}`
  }

  generateSpanId(): string {
    return (++this.#spans).toString(16).padStart(16, '0')
  }
}

let scopes = 0
let sdk: Sdk
let ended: ReadableSpan[]
let telemetries: Telemetry[]

beforeEach(() => {
  sdk = new Sdk()
  sdk.install()
  ended = []
  telemetries = []
})

afterEach(async () => {
  for (const telemetry of telemetries) telemetry.end()
  await sdk.uninstall()
})

const hundredth = new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0.01) })

function provider(sampler: Sampler): TracerProvider {
  const processor = {
    onStart() {},
    onEnd: (span: ReadableSpan) => void ((span.spanContext().traceFlags & 1) === 1 && ended.push(span)),
    forceFlush: async () => {},
    shutdown: async () => {},
  }
  return new TracerProvider({ sampler, spanProcessors: [processor], idGenerator: new Ids() })
}

function open(options: TelemetryOptions = { keep: {} }, tracerProvider = provider(keepSampler(hundredth))): Connection {
  const all = { tracerProvider, messageName: String, ...options }
  const telemetry = createTelemetry(all, { name: `keep ${++scopes}`, version: '1' }, driver)
  telemetries.push(telemetry)
  const connection = telemetry.handshake({ url: '/', headers: {} })?.accept({})
  if (connection === undefined) throw new Error('ignored')
  return connection
}

/** Dispatches a message to a handler; returns the active trace, and what the handler throws. */
function handle(
  connection: Connection,
  name: string,
  handler: () => unknown = () => {},
  carrier?: { traceparent: string },
) {
  const extracted = carrier && { carrier, problem: undefined }
  const process = connection.startReceive({ data: name, binary: false, size: name.length, extracted })
  let ids = { traceId: '', traceFlags: -1 }
  const dispatch = () => {
    ids = trace.getActiveSpan()?.spanContext() ?? ids
    const result = handler()
    if (result instanceof Promise) process?.follow(result, handler, true)
  }
  try {
    process?.run(dispatch)
  } catch {}
  return ids
}

function fail(): never {
  throw new RangeError('on purpose')
}

const kept = () => ended.filter(({ attributes }) => attributes[REASON] !== undefined)
const wait = (milliseconds: number) => {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

describe('option keep', () => {
  it('records what fails of a hundredth that is sampled, in the trace of the message, and nothing of the others', () => {
    const connection = open()
    const failed: string[] = []
    for (let n = 0; n < 190; n++) {
      const isFailing = n % 20 === 0
      const { traceId, traceFlags } = handle(connection, 'say', isFailing ? fail : undefined)
      if (isFailing && traceFlags === TraceFlags.NONE) failed.push(traceId)
    }
    expect(failed.length).toBeGreaterThanOrEqual(9)
    expect(kept().map((span) => span.spanContext().traceId)).toEqual(failed)
    const [first] = kept()
    expect(first).toMatchObject({
      name: 'process say',
      kind: SpanKind.INTERNAL,
      status: { code: SpanStatusCode.ERROR, message: 'on purpose' },
      attributes: {
        [REASON]: 'error',
        'error.type': 'RangeError',
        'websocket.connection.id': connection.id,
        'websocket.message.name': 'say',
        'websocket.message.size': 3,
        'websocket.message.sequence': 1,
      },
      links: [{ attributes: { 'websocket.link.kind': 'handshake' } }],
    })
    expect(first?.events.map(({ name }) => name)).toEqual(['exception'])
    expect(ended.filter(({ name }) => name === 'process say').length - kept().length).toBe(1)
  })

  it('records what is slower than the threshold of its name, with its true start and end', async () => {
    const connection = open({ keep: { slowerThan: { report: 10_000, '*': 100 } } })
    const before = Date.now()
    let handledAt = 0
    handle(connection, 'say', () => {
      handledAt = Date.now()
      wait(101)
    })
    handle(connection, 'report', () => wait(101))
    handle(connection, 'say')
    const slow = new Promise((resolve) => setTimeout(resolve, 102))
    handle(connection, 'later', () => slow)
    await slow
    await new Promise(setImmediate)
    expect(kept().map(({ name, attributes }) => [name, attributes[REASON]])).toEqual([
      ['process say', 'slow'],
      ['process later', 'slow'],
    ])
    const [first] = kept()
    const milliseconds = ([seconds, nanoseconds]: readonly [number, number]) => seconds * 1000 + nanoseconds / 1e6
    expect(milliseconds(first?.duration ?? [0, 0])).toBeGreaterThanOrEqual(100)
    // The two clocks differ by a millisecond or two.
    expect(milliseconds(first?.startTime ?? [0, 0])).toBeGreaterThanOrEqual(before - 2)
    expect(milliseconds(first?.startTime ?? [0, 0])).toBeLessThanOrEqual(handledAt + 2)
  })

  it('records what has closed its connection abnormally, and what was open when it ended so', () => {
    const policy = open()
    handle(policy, 'bad', () => policy.closeFrameSent(1008))
    policy.close()
    const normal = open()
    handle(normal, 'bye', () => normal.closeFrameSent(1000))
    normal.close()
    const lost = open()
    handle(lost, 'long', () => new Promise(() => {}))
    lost.close()
    const left = open()
    handle(left, 'left', () => new Promise(() => {}))
    left.close({ received: 1001 })
    expect(
      kept().map(({ name, attributes }) => [name, attributes[REASON], attributes['websocket.span.ended_by']]),
    ).toEqual([
      ['process bad', 'close', undefined],
      ['process long', 'close', 'disconnect'],
    ])
  })

  it.each([
    ['00', TraceFlags.NONE],
    ['01', TraceFlags.SAMPLED],
  ])('is in the trace of a remote parent with flags %s, which decides on the others', (flags, traceFlags) => {
    const connection = open()
    connection.acceptTerms(propagationTerms('parent', false, false))
    const carrier = { traceparent: `00-${REMOTE}-b7ad6b7169203331-${flags}` }
    expect(handle(connection, 'say', fail, carrier)).toMatchObject({ traceId: REMOTE, traceFlags })
    const spans = ended.filter(({ name }) => name === 'process say')
    expect(spans.map((span) => [span.spanContext().traceId, span.attributes[REASON]])).toEqual([
      [REMOTE, traceFlags === TraceFlags.SAMPLED ? undefined : 'error'],
    ])
  })

  it('records what fails over a budget, in the trace of its context', () => {
    const connection = open({ keep: {}, maxSpansPerSecond: 0.001 }, provider(keepSampler(new AlwaysOnSampler())))
    connection.acceptTerms(propagationTerms('parent', false, false))
    const local = handle(connection, 'say', fail)
    const remote = handle(connection, 'say', fail, { traceparent: `00-${REMOTE}-b7ad6b7169203331-01` })
    expect([local.traceFlags, remote]).toEqual([0, expect.objectContaining({ traceId: REMOTE, traceFlags: 0 })])
    expect(kept().map((span) => span.spanContext().traceId)).toEqual([local.traceId, REMOTE])
  })

  it('asks the sampler for what fails over a budget, also without the option', () => {
    const sampler = new ParentBasedSampler({ root: new AlwaysOnSampler() })
    const connection = open({ maxSpansPerSecond: 0.001 }, provider(sampler))
    connection.acceptTerms(propagationTerms('parent', false, false))
    handle(connection, 'good')
    handle(connection, 'bad', () => wait(2))
    const local = handle(connection, 'say', fail)
    handle(connection, 'say', fail, { traceparent: `00-${REMOTE}-b7ad6b7169203331-01` })
    handle(connection, 'say', fail, { traceparent: `00-${REMOTE}-b7ad6b7169203331-00` })
    const spans = ended.filter(({ name }) => name.startsWith('process'))
    expect(spans.map(({ name, attributes }) => [name, attributes[REASON]])).toEqual([
      ['process say', 'error'],
      ['process say', 'error'],
    ])
    const [own, remote] = spans.map((span) => span.spanContext().traceId)
    expect([own === local.traceId, remote]).toEqual([false, REMOTE])
    expect(spans.map(({ parentSpanContext }) => parentSpanContext?.spanId)).toEqual([undefined, 'b7ad6b7169203331'])
    expect(sdk.diagnostics).toEqual([])
  })

  it('counts what it records among the messages that have a span', () => {
    const connection = open()
    for (let n = 0; n < 5; n++) handle(connection, 'say', n === 2 ? fail : undefined)
    connection.close({ received: 1000 })
    expect(kept().map(({ attributes }) => attributes['websocket.message.sequence'])).toEqual([3])
    const state = connection as unknown as { messageState(): { counts: { closed(...args: unknown[]): void } } }
    const attributes = new Map<string, unknown>()
    state.messageState().counts.closed({ setAttribute: attributes.set.bind(attributes) }, 0, 0)
    expect([...attributes]).toEqual([['websocket.connection.messages.received.unrecorded', 4]])
  })

  it('says once that the sampler leaves out what is kept, and records with a provider of its own', () => {
    const connection = open({ keep: {} }, provider(hundredth))
    for (let n = 0; n < 3; n++) handle(connection, 'say', fail)
    expect(kept()).toEqual([])
    expect(sdk.diagnostics.splice(0)).toEqual([expect.stringContaining('keepSampler(')])
    const other = open({ keep: {}, keepTracerProvider: provider(new AlwaysOnSampler()) }, provider(hundredth))
    const { traceId } = handle(other, 'say', fail)
    expect(kept().map((span) => span.spanContext().traceId)).toEqual([traceId])
    expect(sdk.diagnostics).toEqual([])
  })

  it('leaves alone what option messages leaves without a span', () => {
    const connection = open({ keep: {}, messages: false })
    handle(connection, 'say', fail)
    expect(ended.filter(({ name }) => name.startsWith('process'))).toEqual([])
  })

  it('bounds a flood of failing messages, keeps one of each name and error, and counts the rest', async () => {
    const exported: ReadableSpan[] = []
    const exporter = {
      export(spans: ReadableSpan[], done: (result: { code: number }) => void) {
        exported.push(...spans)
        setTimeout(done, 100, { code: 0 })
      },
      shutdown: async () => {},
    }
    const tracerProvider = new TracerProvider({
      sampler: keepSampler(new ParentBasedSampler({ root: new TraceIdRatioBasedSampler(0) })),
      spanProcessors: [new BatchSpanProcessor({ exporter })],
    })
    const connection = open({ keep: { maxPerSecond: 5 } }, tracerProvider)
    const before = performance.now()
    for (let n = 0; n < 5000; n++) handle(connection, 'flood', fail)
    handle(connection, 'rare', fail)
    handle(connection, 'flood', () => {
      throw new SyntaxError('another')
    })
    await tracerProvider.forceFlush()
    // A second's worth from the start, what has come since, and the first of each.
    expect(exported.length).toBeLessThanOrEqual(5 + (5 * (performance.now() - before)) / 1000 + 3)
    expect(new Set(exported.map(({ name, attributes }) => `${name} ${attributes['error.type']}`))).toEqual(
      new Set(['process flood RangeError', 'process rare RangeError', 'process flood SyntaxError']),
    )
    const rows = await sdk.collect('websocket.server.spans.dropped')
    expect(rows.filter(({ attributes }) => attributes['websocket.spans.drop.reason'] === 'keep_limit')).toMatchObject([
      { value: 5002 - exported.length },
    ])
    await tracerProvider.shutdown()
  })
})

describe('KeepReserve', () => {
  it('admits the first of each name and error in a minute, and so many a second', () => {
    const reserve = new KeepReserve(2, 0)
    const admitted = (name: string, now: number, offered = 10) =>
      Array.from({ length: offered }, () => reserve.admit(name, 'Error', now)).filter(Boolean).length
    expect(admitted('a', 0)).toBeGreaterThanOrEqual(1)
    expect([admitted('b', 0), admitted('c', 0), admitted('d', 0)]).toEqual([1, 1, 1])
    expect(admitted('a', 100)).toBe(0)
    expect(admitted('a', 10_000)).toBe(2)
    expect(admitted('b', 60_000)).toBeGreaterThanOrEqual(1)
  })

  it('shares what it admits between names that fail at once', () => {
    const reserve = new KeepReserve(10, 0)
    let rare = 0
    let flood = 0
    for (let now = 0; now < 30_000; now += 10) {
      for (let n = 0; n < 10; n++) if (reserve.admit('flood', 'Error', now)) flood++
      if (now % 1000 === 500 && reserve.admit('rare', 'Error', now)) rare++
    }
    expect(rare).toBeGreaterThanOrEqual(25)
    expect(flood + rare).toBeLessThanOrEqual(10 + 300 + 1)
  })

  it('has a bounded memory: names beyond a thousand share one place', () => {
    const reserve = new KeepReserve(1, 0)
    const admitted = Array.from({ length: 5000 }, (_, n) => reserve.admit(`name ${n}`, 'Error', 0)).filter(Boolean)
    expect(admitted.length).toBeLessThanOrEqual(1002)
    expect(reserve.admit('name 4999', 'Error', 60_000)).toBe(true)
  })
})
