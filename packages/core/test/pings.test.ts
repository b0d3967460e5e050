import { afterEach, beforeEach, expect, it, vi } from 'vitest'
import { Pings } from '../src/connection/pings.ts'

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'], now: 1000 })
  vi.advanceTimersByTime(1)
})

afterEach(() => vi.useRealTimers())

it('takes a termination for a timeout after nine tenths of the interval between pings', () => {
  const pings = new Pings()
  pings.sent('')
  pings.answered('')
  vi.advanceTimersByTime(500)
  pings.sent('')
  vi.advanceTimersByTime(449)
  expect(pings.isTerminationTimeout(undefined)).toBe(false)
  vi.advanceTimersByTime(1)
  expect(pings.isTerminationTimeout(undefined)).toBe(true)
  // Once.
  expect(pings.isTerminationTimeout(undefined)).toBe(false)
})

it('waits a second for the first ping, and as long as an option says', () => {
  const pings = new Pings()
  pings.sent('')
  vi.advanceTimersByTime(999)
  expect(pings.isTerminationTimeout(undefined)).toBe(false)
  expect(pings.isTerminationTimeout(1000)).toBe(false)
  vi.advanceTimersByTime(1)
  expect(pings.isTerminationTimeout(1001)).toBe(false)
  expect(pings.isTerminationTimeout(undefined)).toBe(true)
})

it('is none without an unanswered ping', () => {
  const pings = new Pings()
  expect(pings.isTerminationTimeout(undefined)).toBe(false)
  pings.sent('a')
  pings.answered('a')
  vi.advanceTimersByTime(10_000)
  expect(pings.isTerminationTimeout(undefined)).toBe(false)
})
