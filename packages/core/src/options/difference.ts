import type { ResolvedOptions } from './resolve.ts'

/** The names of the options whose values differ, in the order of the reference. */
export function differingOptions(a: ResolvedOptions, b: ResolvedOptions): string[] {
  return (Object.keys(a) as (keyof ResolvedOptions)[]).filter((name) => !isSame(a[name], b[name]))
}

/** Compares values of options: by content for lists, sets and plain objects, else by identity. */
function isSame(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof RegExp || b instanceof RegExp) return String(a) === String(b)
  if (a instanceof Set && b instanceof Set) return isSame([...a], [...b])
  const prototype = Object.getPrototypeOf(a)
  if (prototype !== Object.getPrototypeOf(b) || (prototype !== Object.prototype && prototype !== Array.prototype)) {
    return false
  }
  const names = Object.keys({ ...a, ...b })
  return names.every((name) => isSame((a as Record<string, unknown>)[name], (b as Record<string, unknown>)[name]))
}
