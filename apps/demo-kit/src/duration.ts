const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }

/** Parses a duration such as `8s`, `500ms`, `1.5m` or `1h` into milliseconds; `undefined` if it is invalid. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text.trim())
  if (match === null) return undefined
  return Number(match[1]) * (UNITS[match[2] as string] as number)
}

/** Writes milliseconds with the unit that suits them, always with the same number of significant digits: `0.42 ms`. */
export function formatDuration(milliseconds: number): string {
  if (milliseconds < 999.5) return `${threeDigits(milliseconds)} ms`
  if (milliseconds < 59_950) return `${threeDigits(milliseconds / 1_000)} s`
  if (milliseconds < 3_597_000) return `${threeDigits(milliseconds / 60_000)} min`
  return `${threeDigits(milliseconds / 3_600_000)} h`
}

/** Writes bytes with the unit that suits them, in powers of 1,000: `44 B`, `1.2 kB`. */
export function formatBytes(bytes: number): string {
  if (bytes < 999.5) return `${Math.round(bytes)} B`
  if (bytes < 999_500) return `${threeDigits(bytes / 1_000)} kB`
  return `${threeDigits(bytes / 1_000_000)} MB`
}

function threeDigits(value: number): string {
  if (value >= 99.5) return value.toFixed(0)
  return value >= 9.95 ? value.toFixed(1) : value.toFixed(2)
}
