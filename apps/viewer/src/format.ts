/* How values are written for people. Imported by both the server and the page; nothing here may need Node or a browser. */

const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

function digits(value: number): string {
  if (value === 0) return '0'
  if (Math.abs(value) >= 100) return whole.format(value)
  return String(Number(value.toPrecision(3)))
}

/** A duration in milliseconds, in the unit that reads best. */
export function duration(ms: number): string {
  if (ms < 0.001) return ms <= 0 ? '0' : '<1 µs'
  if (ms < 1) return `${digits(ms * 1000)} µs`
  if (ms < 1000) return `${digits(ms)} ms`
  if (ms < 60_000) return `${digits(ms / 1000)} s`
  return age(ms)
}

/** A long time in milliseconds, in its two largest units. */
export function age(ms: number): string {
  if (ms < 10_000) return ms < 1000 ? `${Math.max(0, Math.round(ms))} ms` : `${(ms / 1000).toFixed(1)} s`
  const seconds = Math.floor(ms / 1000)
  if (seconds < 60) return `${seconds} s`
  if (seconds < 3600) return `${Math.floor(seconds / 60)} m ${seconds % 60} s`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ${Math.floor((seconds % 3600) / 60)} m`
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3600)} h`
}

export function bytes(value: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB']
  let scaled = value
  let unit = 0
  while (scaled >= 1024 && unit < units.length - 1) {
    scaled /= 1024
    unit++
  }
  return `${digits(scaled)} ${units[unit]}`
}

export function count(value: number): string {
  if (Math.abs(value) < 10_000) return digits(value)
  if (Math.abs(value) < 1_000_000) return `${digits(value / 1000)} k`
  return `${digits(value / 1_000_000)} M`
}

export function exact(value: number): string {
  return whole.format(value)
}

const two = (value: number) => String(value).padStart(2, '0')

/** Local time of day to the millisecond. */
export function clock(epochMs: number): string {
  const date = new Date(epochMs)
  const ms = String(date.getMilliseconds()).padStart(3, '0')
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${ms}`
}

/** Local date and time to the millisecond, for a tooltip. */
export function moment(epochMs: number): string {
  const date = new Date(epochMs)
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ${clock(epochMs)}`
}

export function plural(value: number, noun: string): string {
  return `${exact(value)} ${noun}${value === 1 ? '' : 's'}`
}
