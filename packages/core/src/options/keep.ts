import { splitList } from './spec.ts'
import type { KeepOptions } from './types.ts'

/**
 * Option `keep` from its variable: `errors`, `slowerThan=250`, `slowerThan.say=100`, `maxPerSecond=20`, separated by commas.
 * Without `errors` it is off. A text of another form is returned as it is.
 */
export function parseKeep(text: string): unknown {
  const byName: Record<string, number> = {}
  const keep: { -readonly [K in keyof KeepOptions]: KeepOptions[K] } = { errors: false }
  for (const part of splitList(text)) {
    const [key = '', value] = part.split(/\s*=\s*/)
    if (part === 'errors') keep.errors = true
    else if (value === undefined) return text
    else if (key === 'maxPerSecond') keep.maxPerSecond = Number(value)
    else if (key === 'slowerThan') byName['*'] = Number(value)
    else if (key.startsWith('slowerThan.')) byName[key.slice('slowerThan.'.length)] = Number(value)
    else return text
  }
  if (Object.keys(byName).length > 0) keep.slowerThan = byName
  return keep
}
