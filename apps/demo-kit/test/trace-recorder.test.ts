import type { ReadableSpan } from '@opentelemetry/sdk-trace'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { TraceRecorder } from '../src/trace-recorder.ts'
import { below, tracerFor } from './fixture.ts'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function fixture() {
  const traces: string[][] = []
  const recorder = new TraceRecorder((spans: readonly ReadableSpan[]) => traces.push(spans.map((span) => span.name)))
  return { recorder, traces, tracer: tracerFor(recorder) }
}

describe('the trace recorder', () => {
  it('hands over a trace once none of it has been open for a while', () => {
    const { recorder, traces, tracer } = fixture()
    const root = tracer.startSpan('root')
    const child = tracer.startSpan('child', {}, below(root))
    root.end()
    vi.advanceTimersByTime(1_000)
    expect(traces).toEqual([])
    expect(recorder.openSpans().map((span) => span.name)).toEqual(['child'])

    child.end()
    vi.advanceTimersByTime(149)
    expect(traces).toEqual([])
    const late = tracer.startSpan('late', {}, below(root))
    vi.advanceTimersByTime(149)
    late.end()
    vi.advanceTimersByTime(150)
    expect(traces).toEqual([['root', 'child', 'late']])
    expect([recorder.started, recorder.reported]).toEqual([3, 3])
  })

  it('hands over what comes later as a further part of the trace', () => {
    const { traces, tracer } = fixture()
    const root = tracer.startSpan('root')
    root.end()
    vi.advanceTimersByTime(150)
    tracer.startSpan('much later', {}, below(root)).end()
    vi.advanceTimersByTime(150)
    expect(traces).toEqual([['root'], ['much later']])
  })

  it('hands over at a flush whatever has ended, and only once', async () => {
    const { recorder, traces, tracer } = fixture()
    const root = tracer.startSpan('root')
    tracer.startSpan('child', {}, below(root)).end()
    await recorder.forceFlush()
    expect(traces).toEqual([['child']])
    root.end()
    await recorder.shutdown()
    vi.advanceTimersByTime(1_000)
    expect(traces).toEqual([['child'], ['root']])
    expect(recorder.openSpans()).toEqual([])
  })
})
