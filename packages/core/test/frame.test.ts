import { type Context, createContextKey, ROOT_CONTEXT, type Span, trace } from '@opentelemetry/api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SpanScope, spanOf, spanScopeOf, withoutSpan, withSpan } from '../src/context/span-scope.ts'

class TestFrame extends SpanScope {
  end(): void {
    this.releaseSpan()
  }
}

const KEYS = [createContextKey('a'), createContextKey('b'), createContextKey('c')] as const

function newSpan(spanId = '00f067aa0ba902b7'): Span {
  return trace.wrapSpanContext({ traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId, traceFlags: 1 })
}

interface Step {
  readonly on: number
  readonly change: 'set' | 'delete'
  readonly key: number
  readonly value: number
}

const step: fc.Arbitrary<Step> = fc.record({
  on: fc.nat(20),
  change: fc.constantFrom('set', 'delete'),
  key: fc.nat(KEYS.length - 1),
  value: fc.nat(99),
})

describe('Frame', () => {
  it('answers like a context of the API, and so does all that is derived from it', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 6 }), fc.array(step, { maxLength: 20 }), (before, after) => {
        let parent = ROOT_CONTEXT
        for (const { key, value } of before) parent = parent.setValue(KEYS[key] as symbol, value)
        const span = newSpan()
        // What the API itself makes of the same steps is the model.
        const pairs: [Context, Context][] = [[new TestFrame(parent, span), trace.setSpan(parent, span)]]
        for (const { on, change, key, value } of after) {
          const [ours, theirs] = pairs[on % pairs.length] as [Context, Context]
          const symbol = KEYS[key] as symbol
          if (change === 'set') pairs.push([ours.setValue(symbol, value), theirs.setValue(symbol, value)])
          else pairs.push([ours.deleteValue(symbol), theirs.deleteValue(symbol)])
        }
        for (const [ours, theirs] of pairs) {
          for (const key of [...KEYS, createContextKey('never set')])
            expect(ours.getValue(key)).toBe(theirs.getValue(key))
          expect(trace.getSpan(ours)).toBe(trace.getSpan(theirs))
        }
      }),
    )
  })

  it('is the frame of all that is derived from it, and of nothing else', () => {
    const frame = new TestFrame(ROOT_CONTEXT, newSpan())
    expect(spanScopeOf(frame)).toBe(frame)
    expect(spanScopeOf(frame.setValue(KEYS[0], 1).deleteValue(KEYS[0]))).toBe(frame)
    expect(spanScopeOf(ROOT_CONTEXT)).toBeUndefined()
    const inner = new TestFrame(frame, undefined)
    expect(spanScopeOf(inner)).toBe(inner)
  })

  it('carries its own span, the one the user sets on top, or that of its parent', () => {
    const span = newSpan()
    const frame = new TestFrame(trace.setSpan(ROOT_CONTEXT, newSpan('b9c7c989f97918e1')), span)
    expect(trace.getSpan(frame)).toBe(span)
    expect(frame.owns(span)).toBe(true)
    const users = newSpan('1'.repeat(16))
    const inner = trace.setSpan(frame, users)
    expect(trace.getSpan(inner)).toBe(users)
    expect(frame.owns(users)).toBe(false)
    expect(trace.getSpan(trace.deleteSpan(inner))).toBeUndefined()
    expect(trace.getSpan(new TestFrame(inner, undefined))).toBe(users)
  })

  it('keeps the ids of an ended span, and does not record', () => {
    const span = newSpan()
    const frame = new TestFrame(trace.setSpan(ROOT_CONTEXT, newSpan('1'.repeat(16))), span)
    expect([frame.span, frame.ended]).toEqual([span, false])
    frame.end()
    frame.end()
    expect([frame.span, frame.ended]).toEqual([undefined, true])
    const left = trace.getSpan(frame) as Span
    expect(left).not.toBe(span)
    expect(left.spanContext()).toBe(span.spanContext())
    expect(left.isRecording()).toBe(false)
    expect(frame.owns(left)).toBe(true)
    expect(trace.getSpan(frame.setValue(KEYS[0], 1))?.spanContext()).toBe(span.spanContext())
  })

  it('without a span of its own has nothing to end', () => {
    const span = newSpan()
    const frame = new TestFrame(trace.setSpan(ROOT_CONTEXT, span), undefined)
    frame.end()
    expect(frame.ended).toBe(false)
    expect(trace.getSpan(frame)).toBe(span)
  })

  it('lets go of an ended span, whoever holds a context derived from it', async () => {
    const frame = new TestFrame(ROOT_CONTEXT, undefined)
    const { held, span } = (() => {
      // Its own recorder, so that nothing but the frame refers to it.
      const own = { ...newSpan(), spanContext: () => ({ traceId: 'a', spanId: 'b', traceFlags: 1 }) } as unknown as Span
      const around = new TestFrame(frame, own)
      const derived = around.setValue(KEYS[0], 1)
      around.end()
      return { held: derived, span: new WeakRef(own) }
    })()
    await new Promise(setImmediate)
    ;(globalThis as { gc?: () => void }).gc?.()
    expect(span.deref()).toBeUndefined()
    expect(held.getValue(KEYS[0])).toBe(1)
  })

  it('does not grow by values that are set again and again, as a timer does that starts spans and itself', async () => {
    let context: Context = new TestFrame(ROOT_CONTEXT, newSpan())
    const first = (() => {
      const value = {}
      context = context.setValue(KEYS[0], value).setValue(KEYS[1], value)
      return new WeakRef(value)
    })()
    for (let round = 0; round < 50_000; round++) context = context.setValue(KEYS[0], round).setValue(KEYS[1], round)
    expect(context.getValue(KEYS[2])).toBeUndefined()
    expect([context.getValue(KEYS[0]), context.getValue(KEYS[1])]).toEqual([49_999, 49_999])
    await new Promise(setImmediate)
    ;(globalThis as { gc?: () => void }).gc?.()
    expect(first.deref()).toBeUndefined()
  })
})

describe('spanOf, withSpan and withoutSpan', () => {
  it('agree with the API about where a context keeps its span', () => {
    const span = newSpan()
    expect(spanOf(trace.setSpan(ROOT_CONTEXT, span))).toBe(span)
    expect(trace.getSpan(withSpan(ROOT_CONTEXT, span))).toBe(span)
    expect(spanOf(new TestFrame(ROOT_CONTEXT, span))).toBe(span)
    expect(spanOf(ROOT_CONTEXT)).toBeUndefined()
  })

  it('take the span away and leave all else', () => {
    const context = trace.setSpan(ROOT_CONTEXT.setValue(KEYS[0], 1), newSpan())
    const without = withoutSpan(context)
    expect([trace.getSpan(without), without.getValue(KEYS[0])]).toEqual([undefined, 1])
    const frame = withoutSpan(new TestFrame(context, newSpan()))
    expect([trace.getSpan(frame), frame.getValue(KEYS[0])]).toEqual([undefined, 1])
    const plain = ROOT_CONTEXT.setValue(KEYS[0], 1)
    expect(withoutSpan(plain)).toBe(plain)
    expect(withoutSpan(ROOT_CONTEXT)).toBe(ROOT_CONTEXT)
  })
})
