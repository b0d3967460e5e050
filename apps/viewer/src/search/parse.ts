/*
 * The search language of all lists: words that are looked for anywhere, `key=value`, `key!=value`, `key<10`, `key>=1s`,
 * `key=*`, quotes around what contains spaces, and `-` before what must not be there.
 */

export type Comparison = '=' | '!=' | '<' | '<=' | '>' | '>='

interface Common {
  /** Whether it must not match. */
  readonly negated: boolean
}

/** A text that is looked for anywhere. */
export interface TextTerm extends Common {
  readonly kind: 'text'
  readonly text: string
  readonly pattern: RegExp
}

/** A condition on the value of a key. */
export interface KeyTerm extends Common {
  readonly kind: 'key'
  readonly key: string
  readonly comparison: Comparison
  /** `*` asks for the key alone. */
  readonly value: string
  /** The value in the base unit (milliseconds, bytes), where it is a number. */
  readonly number: number | undefined
}

export type Term = TextTerm | KeyTerm

export interface Search {
  readonly terms: readonly Term[]
  /** What was not understood, in words for the person who typed it. */
  readonly problems: readonly string[]
}

/** Terms beyond it are left out, and said. */
const mostTerms = 16
const units: Readonly<Record<string, number>> = {
  us: 0.001,
  µs: 0.001,
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  b: 1,
  kb: 1000,
  mb: 1e6,
  gb: 1e9,
  kib: 1024,
  mib: 1024 ** 2,
  gib: 1024 ** 3,
}

/** Reads what was typed. Never throws: what is not understood is left out and said. */
export function parseSearch(typed: string): Search {
  const terms: Term[] = []
  const problems: string[] = []
  for (const token of tokens(typed, problems)) {
    const term = termOf(token, problems)
    if (term === undefined) continue
    if (terms.length === mostTerms) {
      problems.push(`only the first ${mostTerms} terms are used`)
      break
    }
    terms.push(term)
  }
  return { terms, problems }
}

interface Token {
  readonly negated: boolean
  /** Empty for a text. */
  readonly key: string
  readonly comparison: Comparison | ''
  readonly value: string
}

const token = /(-?)(?:([^\s"=<>!]+)(!=|<=|>=|=|<|>))?(?:"([^"]*)("?)|([^\s"]*))/gy

function* tokens(typed: string, problems: string[]): Generator<Token> {
  token.lastIndex = 0
  const text = typed.trim()
  while (token.lastIndex < text.length) {
    const at = token.lastIndex
    const space = /\s*/y
    space.lastIndex = at
    space.exec(text)
    token.lastIndex = space.lastIndex
    const found = token.exec(text)
    if (found === null || found[0] === '') {
      // A quote or an operator where none can be: it is looked for as it is.
      token.lastIndex = space.lastIndex + 1
      continue
    }
    const [, minus = '', key = '', comparison = '', quoted, end, plain = ''] = found
    if (quoted !== undefined && end === '') problems.push(`the quote before “${quoted}” is not closed`)
    const value = quoted ?? plain
    yield { negated: minus === '-', key, comparison: comparison as Comparison | '', value }
  }
}

function termOf({ negated, key, comparison, value }: Token, problems: string[]): Term | undefined {
  if (comparison === '') {
    if (value === '') {
      if (negated) problems.push('“-” needs a word behind it')
      return undefined
    }
    // The start of a comparison: `=5`, `>=`.
    if (/^(!=|<=|>=|=|<|>)/.test(value)) problems.push(`“${value}” has no key in front of it: it is looked for as text`)
    return { kind: 'text', negated, text: value, pattern: new RegExp(escaped(value), 'i') }
  }
  const number = numberOf(value)
  if (value === '') {
    problems.push(`“${key}${comparison}” has no value: “${key}=*” finds what has the key`)
    return undefined
  }
  if (comparison !== '=' && comparison !== '!=' && number === undefined) {
    problems.push(`“${key}${comparison}${value}” does not compare with a number, such as 10, 1.5s or 2MiB`)
    return undefined
  }
  return { kind: 'key', negated, key, comparison, value, number }
}

/** A number, with or without a unit of time or size. */
function numberOf(value: string): number | undefined {
  const found = /^(-?\d+(?:\.\d+)?(?:e[+-]?\d+)?)([a-zµ]*)$/i.exec(value)
  if (found === null) return undefined
  const unit = found[2]!.toLowerCase()
  const factor = unit === '' ? 1 : units[unit]
  return factor === undefined ? undefined : Number(found[1]) * factor
}

/** Escapes what means something in a regular expression; `RegExp.escape` needs Node 24. */
function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
