import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { type Expirable, SpanDeadlines } from '../src/context/deadlines.ts'

class Entry implements Expirable {
  readonly reasons: string[] = []

  expire(reason: 'age' | 'shutdown'): void {
    this.reasons.push(reason)
  }
}

describe('Expiry', () => {
  beforeEach(() => {
    vi.useFakeTimers()
  })

  afterEach(() => {
    vi.useRealTimers()
  })

  it('ends what has been open for too long, and not before', () => {
    const expiry = new SpanDeadlines(1000)
    const [first, second] = [new Entry(), new Entry()]
    expiry.add(first)
    vi.advanceTimersByTime(500)
    expiry.add(second)
    vi.advanceTimersByTime(499)
    expect([first.reasons, second.reasons]).toEqual([[], []])
    vi.advanceTimersByTime(101)
    expect([first.reasons, second.reasons, expiry.size]).toEqual([['age'], [], 1])
    vi.advanceTimersByTime(500)
    expect([first.reasons, second.reasons, expiry.size]).toEqual([['age'], ['age'], 0])
  })

  it('is late by a tenth of the age at most, and by 10 seconds', () => {
    for (const [age, late] of [
      [1000, 100],
      [600_000, 10_000],
      [20, 10],
    ] as const) {
      const expiry = new SpanDeadlines(age)
      const entry = new Entry()
      expiry.add(entry)
      vi.advanceTimersByTime(age + late)
      expect([age, entry.reasons]).toEqual([age, ['age']])
      expiry.shutdown()
    }
  })

  it('leaves alone what was taken out', () => {
    const expiry = new SpanDeadlines(1000)
    const entry = new Entry()
    expiry.add(entry)
    expiry.delete(entry)
    vi.advanceTimersByTime(5000)
    expiry.shutdown()
    expect(entry.reasons).toEqual([])
  })

  it('ends everything at shutdown, once, and has no timer left', () => {
    const expiry = new SpanDeadlines(1000)
    const entries = [new Entry(), new Entry()]
    for (const entry of entries) expiry.add(entry)
    expiry.shutdown()
    expiry.shutdown()
    vi.advanceTimersByTime(5000)
    expect(entries.map(({ reasons }) => reasons)).toEqual([['shutdown'], ['shutdown']])
    expect([expiry.size, vi.getTimerCount()]).toEqual([0, 0])
  })

  it('ends what came after a shutdown at the next one', () => {
    const expiry = new SpanDeadlines(1000)
    expiry.shutdown()
    const late = new Entry()
    expiry.add(late)
    expect(late.reasons).toEqual([])
    expiry.shutdown()
    expect(late.reasons).toEqual(['shutdown'])
  })

  it('goes on when ending one entry adds or takes out others', () => {
    const expiry = new SpanDeadlines(1000)
    const [taken, added] = [new Entry(), new Entry()]
    const first: Expirable = {
      expire() {
        expiry.delete(taken)
        expiry.add(added)
      },
    }
    expiry.add(first)
    expiry.add(taken)
    vi.advanceTimersByTime(1000)
    expect([taken.reasons, added.reasons, expiry.size]).toEqual([[], [], 1])
    vi.advanceTimersByTime(1100)
    expect(added.reasons).toEqual(['age'])
  })

  it('keeps one timer, whatever is open, which keeps no process alive', () => {
    vi.useRealTimers()
    const expiry = new SpanDeadlines(1000)
    const before = process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length
    for (let i = 0; i < 100; i++) expiry.add(new Entry())
    expect(process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout')).toHaveLength(before)
    expiry.shutdown()
  })
})
