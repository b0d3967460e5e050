import { SpanKind, SpanStatusCode, trace } from '@opentelemetry/api'
import { assertSpan, matchers, TestTelemetry } from '@otel-ws/testing'
import '@otel-ws/testing/vitest'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'

let telemetry: TestTelemetry

beforeEach(() => {
  telemetry = new TestTelemetry()
  telemetry.install()
})
afterEach(() => telemetry.uninstall())

/** Ends a span with a child; returns both. */
function work() {
  const tracer = trace.getTracer('test')
  tracer.startActiveSpan('outer', { attributes: { 'user.id': 'u-42', roles: ['a', 'b'] } }, (outer) => {
    const inner = tracer.startSpan('inner', {
      kind: SpanKind.PRODUCER,
      links: [{ context: outer.spanContext(), attributes: { why: 'cause' } }],
    })
    inner.setAttribute('error.type', 'TypeError').setStatus({ code: SpanStatusCode.ERROR }).end()
    outer.end()
  })
  return { outer: telemetry.span('outer'), inner: telemetry.span('inner') }
}

/** The message with which an assertion fails. */
function messageOf(assertion: () => unknown): string {
  try {
    assertion()
  } catch (error) {
    return (error as Error).message
  }
  throw new Error('the assertion holds')
}

describe('toHaveSpan', () => {
  it('takes every fact that is expected of a span', () => {
    const { outer } = work()
    expect(telemetry).toHaveSpan('outer')
    expect(telemetry).toHaveSpan('outer', { attributes: { 'user.id': 'u-42', roles: ['a', 'b'] }, parent: null })
    expect(telemetry).toHaveSpan('inner', {
      kind: SpanKind.PRODUCER,
      error: 'TypeError',
      parent: outer,
      link: outer.spanContext(),
    })
    expect(telemetry).toHaveSpan('inner', { error: true })
    expect(telemetry).toHaveSpan('outer', { error: false })
    expect(telemetry).not.toHaveSpan('another')
    expect(telemetry).not.toHaveSpan('outer', { attributes: { 'user.id': 'u-1' } })
  })

  it('says which facts differ', () => {
    const { outer, inner } = work()
    const { traceId, spanId } = outer.spanContext()
    expect(
      messageOf(() =>
        expect(telemetry).toHaveSpan('inner', {
          attributes: { 'user.id': 'u-1' },
          kind: SpanKind.SERVER,
          error: 'RangeError',
          parent: null,
          link: inner,
        }),
      ),
    ).toBe(
      [
        "expected a span 'inner' like that, but of those that have ended:",
        '  1: its user.id is undefined; its kind is PRODUCER; it failed with "TypeError"; ' +
          `span 'inner' is a child of span ${spanId}, and starts no trace; ` +
          `expected a link of span 'inner' to span 'inner' (${inner.spanContext().spanId} in trace ${traceId}), ` +
          `but it has links to ["${spanId}"]`,
      ].join('\n'),
    )
    expect(messageOf(() => expect(telemetry).toHaveSpan('outer', { error: true }))).toMatch(/1: it did not fail$/)
    expect(messageOf(() => expect(telemetry).not.toHaveSpan('outer'))).toBe(
      "expected no span 'outer', but there is one",
    )
  })

  it('names the spans that there are, and one that has not ended', () => {
    const open = trace.getTracer('test').startSpan('slow')
    expect(messageOf(() => expect(telemetry).toHaveSpan('slow'))).toBe(
      `expected a span 'slow'; ended: []; open: ["slow"]. It has started and not ended: wait for it with waitForSpan().`,
    )
    open.end()
    expect(messageOf(() => expect(telemetry).toHaveSpan('fast'))).toBe(
      `expected a span 'fast'; ended: ["slow"]; open: [].`,
    )
  })

  it('is for telemetry only', () => {
    expect(() => expect({}).toHaveSpan('x')).toThrow('this matcher is for a TestTelemetry')
  })
})

describe('matchers of a span', () => {
  it('know its parent, its trace and its links', () => {
    const { outer, inner } = work()
    expect(inner).toBeChildOf(outer)
    expect(outer).not.toBeChildOf(inner)
    expect(inner).toBeInTraceOf(outer)
    expect(inner).toHaveLinkTo(outer)
    expect(inner).toHaveLinkTo(outer, { why: 'cause' })
    expect(inner).not.toHaveLinkTo(outer, { why: 'else' })
    expect(outer).not.toHaveLinkTo(inner)
    const other = trace.getTracer('test').startSpan('other', { root: true })
    other.end()
    expect(other).not.toBeInTraceOf(outer)
    const { spanId, traceId } = outer.spanContext()
    expect(messageOf(() => expect(telemetry.span('other')).toBeChildOf(outer))).toBe(
      `expected span 'other' to be a child of span 'outer' (${spanId} in trace ${traceId}), but it starts a trace`,
    )
  })

  it('remind of an await that is missing', () => {
    expect(() => expect(telemetry.waitForSpan('outer')).toBeChildOf({} as never)).toThrow('is an await missing?')
    work()
  })
})

describe('toHaveMetricValue', () => {
  it('adds up the points that have the attributes', async () => {
    const meter = telemetry.meterProvider.getMeter('test')
    const counter = meter.createCounter('messages')
    counter.add(2, { room: 'a', kind: 'x' })
    counter.add(3, { room: 'a', kind: 'y' })
    counter.add(4, { room: 'b', kind: 'x' })
    meter.createHistogram('duration').record(0.5, { room: 'a' })
    await expect(telemetry).toHaveMetricValue('messages', 9)
    await expect(telemetry).toHaveMetricValue('messages', 5, { room: 'a' })
    await expect(telemetry).toHaveMetricValue('messages', 4, { room: 'b', kind: 'x' })
    await expect(telemetry).toHaveMetricValue('duration', 1)
    await expect(telemetry).not.toHaveMetricValue('messages', 5)
    await expect(expect(telemetry).toHaveMetricValue('messages', 1, { room: 'b' })).rejects.toThrow(
      [
        "expected value 1 of instrument 'messages', but it is 4; its points:",
        '  2 with {"room":"a","kind":"x"}',
        '  3 with {"room":"a","kind":"y"}',
        '  4 with {"room":"b","kind":"x"}',
      ].join('\n'),
    )
    await expect(expect(telemetry).toHaveMetricValue('none', 1)).rejects.toThrow(
      `expected instrument 'none'; recorded: ["duration","messages"]`,
    )
  })
})

it('has the same checks as functions, whose errors point to the test', () => {
  work()
  assertSpan(telemetry, 'outer')
  try {
    assertSpan(telemetry, 'another')
  } catch (error) {
    expect((error as Error).name).toBe('AssertionError')
    expect((error as Error).message).toBe(`expected a span 'another'; ended: ["inner","outer"]; open: [].`)
    expect((error as Error).stack?.split('\n')[1]).toContain('matchers.test.ts')
    return
  }
  throw new Error('the assertion holds')
})

it('refuses to be installed beside another SDK', () => {
  expect(() => new TestTelemetry().install()).toThrow('another OpenTelemetry SDK is registered')
})

it('has a matcher for each method that its types declare', () => {
  expect(Object.keys(matchers).sort()).toEqual([
    'toBeChildOf',
    'toBeInTraceOf',
    'toHaveLinkTo',
    'toHaveMetricValue',
    'toHaveSpan',
  ])
})
