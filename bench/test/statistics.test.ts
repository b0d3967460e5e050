import { expect, it } from 'vitest'
import { estimate, estimateRatio } from '../lib/statistics.ts'

it('computes the interval from the means of the rounds', () => {
  const { mean, low, high } = estimate([[1, 3], [2, 4], [4], []])
  expect(mean).toBe(3)
  // The means are 2, 3 and 4: a deviation of 1, and Student's factor for two degrees of freedom.
  expect(high - mean).toBeCloseTo(4.303 / Math.sqrt(3), 10)
  expect(mean - low).toBeCloseTo(4.303 / Math.sqrt(3), 10)
})

it('computes it from all values when there are fewer than three rounds', () => {
  const { mean, high } = estimate([
    [1, 2],
    [3, 2],
  ])
  expect(mean).toBe(2)
  expect(high - mean).toBeCloseTo((3.182 * Math.sqrt(2 / 3)) / 2, 10)
})

it('has no interval for one value', () => {
  expect(estimate([[7]])).toEqual({ mean: 7, low: 7, high: 7 })
})

it('estimates a ratio and its inverse alike', () => {
  const rounds = [[1.1, 1.3], [1.2], [1.4, 1.2, 1.1]]
  const ratio = estimateRatio(rounds)
  const inverse = estimateRatio(rounds.map((ratios) => ratios.map((value) => 1 / value)))
  expect(inverse.mean).toBeCloseTo(1 / ratio.mean, 10)
  expect(inverse.low).toBeCloseTo(1 / ratio.high, 10)
})
