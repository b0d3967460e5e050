/** Ends the sentence about a wrong name: names that look like it, else all of them. */
export function suggestion(name: string, names: readonly string[]): string {
  const lower = name.toLowerCase()
  const near = names.filter((known) => {
    const other = known.toLowerCase()
    // Of a short name, few letters may differ: any other would be near.
    const most = Math.min(3, Math.min(lower.length, other.length) / 2)
    return other.includes(lower) || lower.includes(other) || distance(lower, other) <= most
  })
  return near.length > 0 ? `did you mean ${near.slice(0, 3).join(' or ')}?` : `the options are ${names.join(', ')}`
}

/** Levenshtein distance. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, i) => i)
  for (let i = 1; i <= a.length; i++) {
    const next = [i]
    for (let j = 1; j <= b.length; j++) {
      const cost = a[i - 1] === b[j - 1] ? 0 : 1
      next[j] = Math.min((row[j] as number) + 1, (next[j - 1] as number) + 1, (row[j - 1] as number) + cost)
    }
    row = next
  }
  return row[b.length] as number
}
