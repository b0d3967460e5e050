import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ProcessBudget, processBudget } from '../src/services/process-budget.ts'

const FLOODING = 7
const RARE = 8

/** Offers a root every `every` milliseconds of a second; returns how many were taken. */
function offer(budget: ProcessBudget, from: number, every: number, name: number, connection: number): number {
  let taken = 0
  for (let now = from; now < from + 1000; now += every) if (budget.take(name, connection, now)) taken++
  return taken
}

describe('ProcessBudget', () => {
  it('has a burst of a second, and of at most 512 spans whatever the rate', () => {
    const atOnce = (perSecond: number) => {
      const budget = new ProcessBudget(perSecond, 0)
      return Array.from({ length: 5000 }, (_, n) => budget.take(n, n, 0)).filter(Boolean).length
    }
    expect(atOnce(10)).toBe(10)
    expect(atOnce(0.1)).toBe(1)
    expect(atOnce(100_000)).toBe(512)
  })

  it('gives its rate to a single flood', () => {
    const budget = new ProcessBudget(100, 0)
    offer(budget, 0, 1, FLOODING, 1)
    expect(offer(budget, 1000, 1, FLOODING, 1)).toBeGreaterThanOrEqual(99)
    expect(offer(budget, 2000, 1, FLOODING, 1)).toBeLessThanOrEqual(101)
  })

  it('leaves room for a rare name beside a flood of another, on the same connection and on many', () => {
    for (const connections of [1, 5000]) {
      const budget = new ProcessBudget(100, 0)
      let rare = 0
      for (let now = 0; now < 10_000; now++) {
        for (let n = 0; n < 20; n++) budget.take(FLOODING, (now * 20 + n) % connections, now)
        if (now % 100 === 99 && budget.take(RARE, 1, now)) rare++
      }
      expect(rare).toBe(100)
    }
  })

  it('shares the rate between names and between connections that flood', () => {
    const taken = [0, 0, 0, 0]
    const budget = new ProcessBudget(100, 0)
    for (let now = 0; now < 20_000; now++) {
      // Connection 1 sends ten times as much as each of the others, and name 0 more than name 1.
      for (let n = 0; n < 10; n++) if (budget.take(FLOODING, 1, now)) taken[0]!++
      for (const connection of [2, 3, 4]) if (budget.take(FLOODING, connection, now)) taken[connection - 1]!++
    }
    expect(Math.min(...taken) / Math.max(...taken)).toBeGreaterThan(0.35)
  })

  it('charges what roots contain, so that all spans together keep the rate', () => {
    const budget = new ProcessBudget(100, 0)
    let spans = 0
    let rare = 0
    for (let now = 0; now < 10_000; now++) {
      if (budget.take(FLOODING, 1, now)) {
        spans += 5
        for (let n = 0; n < 4; n++) budget.chargeInside()
      }
      // How many spans a root has is not known from the start.
      if (now > 3000 && now % 500 === 0 && budget.take(RARE, 2, now)) {
        rare++
        spans++
      }
    }
    expect(spans).toBeGreaterThan(900)
    expect(spans).toBeLessThan(1110)
    expect(rare).toBe(13)
  })

  it('takes nothing for what the sampler leaves out', () => {
    const budget = new ProcessBudget(10, 0)
    for (let n = 0; n < 1000; n++) {
      expect(budget.take(FLOODING, 1, 0)).toBe(true)
      budget.giveBack()
    }
    expect(Array.from({ length: 20 }, (_, n) => budget.take(n, n, 0)).filter(Boolean)).toHaveLength(10)
  })

  it('refuses nothing for longer than twice its burst after a trace of very many spans', () => {
    const budget = new ProcessBudget(10, 0)
    for (let n = 0; n < 10_000; n++) budget.charge()
    expect(budget.take(RARE, 1, 1000)).toBe(false)
    expect(budget.take(RARE, 1, 2100)).toBe(true)
  })

  it('never lets more spans start than its burst and what was refilled since, for any names and connections', () => {
    const asked = fc.array(
      fc.tuple(fc.nat(400), fc.nat(2000), fc.nat(2000), fc.constantFrom('take', 'return', 'charge')),
      { maxLength: 200 },
    )
    fc.assert(
      fc.property(fc.double({ min: 0.1, max: 2000, noNaN: true }), asked, (perSecond, steps) => {
        const budget = new ProcessBudget(perSecond, 0)
        let now = 0
        let taken = 0
        for (const [wait, name, connection, what] of steps) {
          now += wait
          if (what === 'charge') budget.chargeInside()
          else if (budget.take(name, connection, now)) {
            if (what === 'return') budget.giveBack()
            else taken++
          }
          const allowed = Math.min(512, Math.max(1, perSecond)) + (now * perSecond) / 1000
          expect(taken).toBeLessThanOrEqual(allowed + 1e-6)
        }
      }),
    )
  })

  it('is one per provider, with the lowest of the limits', () => {
    const provider = {}
    const budget = processBudget(provider, 100)
    expect(processBudget(provider, 5)).toBe(budget)
    expect(processBudget(provider, 1000)).toBe(budget)
    expect(processBudget({}, 5)).not.toBe(budget)
    const now = performance.now()
    expect(Array.from({ length: 50 }, (_, n) => budget.take(n, n, now)).filter(Boolean)).toHaveLength(5)
  })
})
