import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { SpanBudget } from '../src/services/span-budget.ts'

function taken(budget: SpanBudget, attempts: number, now: number): number {
  let count = 0
  for (let i = 0; i < attempts; i++) if (budget.take(now)) count++
  return count
}

describe('SpanBudget', () => {
  it('has a second of spans from the start', () => {
    expect(taken(new SpanBudget(10, 5000), 100, 5000)).toBe(10)
  })

  it('refills with time, up to a second of spans', () => {
    const budget = new SpanBudget(10, 0)
    expect(taken(budget, 100, 0)).toBe(10)
    expect(taken(budget, 100, 99)).toBe(0)
    expect(taken(budget, 100, 100)).toBe(1)
    expect(taken(budget, 100, 600)).toBe(5)
    expect(taken(budget, 100, 3_600_000)).toBe(10)
  })

  it('of less than one a second still gives one after so long', () => {
    const budget = new SpanBudget(0.5, 0)
    expect(taken(budget, 9, 0)).toBe(1)
    expect(taken(budget, 9, 1999)).toBe(0)
    expect(taken(budget, 9, 2000)).toBe(1)
    expect(taken(budget, 9, 60_000)).toBe(1)
  })

  it('never gives more than a second of spans and what has come since, whenever it is asked', () => {
    const steps = fc.array(fc.tuple(fc.double({ min: 0, max: 5000, noNaN: true }), fc.nat(30)), { maxLength: 20 })
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 1000, noNaN: true }), steps, (perSecond, asked) => {
        const budget = new SpanBudget(perSecond, 1000)
        let now = 1000
        let total = 0
        for (const [wait, attempts] of asked) {
          now += wait
          total += taken(budget, attempts, now)
          const allowed = Math.max(1, perSecond) + ((now - 1000) * perSecond) / 1000
          expect(total).toBeLessThanOrEqual(allowed + 1e-6)
        }
      }),
    )
  })
})
