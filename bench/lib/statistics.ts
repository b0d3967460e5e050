/** The middle value; the mean of the two middle ones when there is an even number. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Half the range from lowest to highest, relative to the median. */
export function spread(values: readonly number[]): number {
  return (Math.max(...values) - Math.min(...values)) / 2 / median(values)
}

/** The median of what `compute` makes of the values of one round at a time. */
export function medianOfRounds(
  rounds: readonly (readonly number[])[],
  compute: (...values: number[]) => number,
): number {
  const [first = []] = rounds
  return median(first.map((_, round) => compute(...rounds.map((values) => values[round]!))))
}
