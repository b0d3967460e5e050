import { numberOf } from './numbers.ts'

/** Intent of a sentence. */
export type Intent =
  | { readonly kind: 'calculate'; readonly left: number; readonly operation: Operation; readonly right: number }
  | { readonly kind: 'convert'; readonly amount: number; readonly from: string; readonly to: string }
  | { readonly kind: 'timer'; readonly seconds: number }
  | { readonly kind: 'add'; readonly item: string }
  | { readonly kind: 'list' }
  | { readonly kind: 'recall' }

export type Operation = 'plus' | 'minus' | 'times' | 'divided by'

/** The value of one unit, in the smallest of its kind. */
export const UNITS: Readonly<Record<string, { readonly kind: string; readonly size: number }>> = {
  metres: { kind: 'length', size: 1 },
  kilometres: { kind: 'length', size: 1_000 },
  miles: { kind: 'length', size: 1_609.344 },
  feet: { kind: 'length', size: 0.3048 },
  grams: { kind: 'mass', size: 1 },
  kilograms: { kind: 'mass', size: 1_000 },
  pounds: { kind: 'mass', size: 453.592_37 },
}

/** One sentence of the language: a pattern, and what its parts mean; undefined when they mean nothing. */
type Rule = readonly [pattern: RegExp, meaning: (...parts: string[]) => Intent | undefined]

const RULES: readonly Rule[] = [
  [/^what is (.+) (plus|minus|times|divided by) (.+?)$/, (left, operation, right) => calculate(left, operation, right)],
  [/^how many ([a-z]+) are (.+) ([a-z]+)$/, (to, amount, from) => convert(amount, from, to)],
  [/^set a timer for (.+) seconds?$/, (seconds) => timer(seconds)],
  [/^add ([a-z ]+) to my list$/, (item) => ({ kind: 'add', item: item as string })],
  [/^what is on my list$/, () => ({ kind: 'list' })],
  [/^what did i ask$/, () => ({ kind: 'recall' })],
]

/** Returns the intent of a sentence; `undefined` if the grammar does not know it. */
export function understand(text: string): Intent | undefined {
  const sentence = text.trim().replace(/[.?!]$/, '')
  for (const [pattern, meaning] of RULES) {
    const match = pattern.exec(sentence)
    if (match !== null) return meaning(...match.slice(1))
  }
  return undefined
}

function calculate(left = '', operation = '', right = ''): Intent | undefined {
  const [a, b] = [numberOf(left), numberOf(right)]
  if (a === undefined || b === undefined || (operation === 'divided by' && b === 0)) return undefined
  return { kind: 'calculate', left: a, operation: operation as Operation, right: b }
}

function convert(amount = '', from = '', to = ''): Intent | undefined {
  const value = numberOf(amount)
  const kind = Object.hasOwn(UNITS, from) ? UNITS[from]?.kind : undefined
  if (value === undefined || kind === undefined || !Object.hasOwn(UNITS, to) || UNITS[to]?.kind !== kind)
    return undefined
  return { kind: 'convert', amount: value, from, to }
}

function timer(seconds = ''): Intent | undefined {
  const value = numberOf(seconds)
  return value === undefined ? undefined : { kind: 'timer', seconds: value }
}
