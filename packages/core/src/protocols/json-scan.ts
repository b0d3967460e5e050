/*
 * Positions in JSON texts: where strings, values and members begin and end. Nothing is parsed, and a text may be cut anywhere.
 */

/** Reads the value between two positions of a text. */
export type Read = (text: string, start: number, end: number) => string | undefined

/** Reads the text of an object; other values are not read. */
export const objectText: Read = (text, start, end) =>
  text.charCodeAt(start) === OPEN_BRACE ? text.slice(start, end) : undefined

// Names are read from the start with every message, so spaces are skipped in place. All other characters up to the space
// are not allowed in JSON, and text that is no JSON may have any name.
const SPACE = 32
export const QUOTE = 34
export const COMMA = 44
export const COLON = 58
export const OPEN_BRACKET = 91
const BACKSLASH = 92
export const CLOSE_BRACKET = 93
export const OPEN_BRACE = 123
export const CLOSE_BRACE = 125

/** The value of a member of the object that a text starts with; `undefined` if it is not there or does not end in the text. */
export function memberFromStart(text: string, key: string, read: Read = scalar): string | undefined {
  let at = 0
  while (text.charCodeAt(at) <= SPACE) at++
  if (text.charCodeAt(at) !== OPEN_BRACE) return undefined
  do at++
  while (text.charCodeAt(at) <= SPACE)
  while (text.charCodeAt(at) === QUOTE) {
    const keyEnd = stringEnd(text, at)
    if (keyEnd === -1) return undefined
    // A key that is written with escapes does not match.
    const found = keyEnd - at - 1 === key.length && text.startsWith(key, at + 1)
    at = keyEnd + 1
    while (text.charCodeAt(at) <= SPACE) at++
    if (text.charCodeAt(at) !== COLON) return undefined
    do at++
    while (text.charCodeAt(at) <= SPACE)
    const valueEnd = skipValue(text, at)
    if (valueEnd === -1) return undefined
    if (found) return read(text, at, valueEnd)
    at = valueEnd
    while (text.charCodeAt(at) <= SPACE) at++
    if (text.charCodeAt(at) !== COMMA) return undefined
    do at++
    while (text.charCodeAt(at) <= SPACE)
  }
  return undefined
}

/** The scalar at an index of the array that a text starts with. */
export function elementFromStart(text: string, index: number): string | undefined {
  let at = 0
  while (text.charCodeAt(at) <= SPACE) at++
  if (text.charCodeAt(at) !== OPEN_BRACKET) return undefined
  do at++
  while (text.charCodeAt(at) <= SPACE)
  for (let element = 0; ; element++) {
    const end = skipValue(text, at)
    if (end === -1) return undefined
    if (element === index) return scalar(text, at, end)
    at = end
    while (text.charCodeAt(at) <= SPACE) at++
    if (text.charCodeAt(at) !== COMMA) return undefined
    do at++
    while (text.charCodeAt(at) <= SPACE)
  }
}

/** Walks backwards over `"key":value` pairs from the closing brace: valid JSON can be read from either end. */
export function memberFromEnd(text: string, key: string, read: Read = scalar): string | undefined {
  let at = skipSpaceBack(text, text.length - 1)
  if (text.charCodeAt(at) !== CLOSE_BRACE) return undefined
  at = skipSpaceBack(text, at - 1)
  while (at >= 0) {
    const valueLast = at
    const valueStart = skipValueBack(text, at)
    if (valueStart === -1) return undefined
    at = skipSpaceBack(text, valueStart - 1)
    if (text.charCodeAt(at) !== COLON) return undefined
    at = skipSpaceBack(text, at - 1)
    if (text.charCodeAt(at) !== QUOTE) return undefined
    const keyStart = stringStart(text, at)
    if (keyStart === -1) return undefined
    if (at - keyStart - 1 === key.length && text.startsWith(key, keyStart + 1))
      return read(text, valueStart, valueLast + 1)
    at = skipSpaceBack(text, keyStart - 1)
    if (text.charCodeAt(at) !== COMMA) return undefined
    at = skipSpaceBack(text, at - 1)
  }
  return undefined
}

/** Index of the last character up to `at` that is no space of JSON. */
function skipSpaceBack(text: string, at: number): number {
  for (; at >= 0; at--) {
    const code = text.charCodeAt(at)
    if (code !== 32 && code !== 10 && code !== 13 && code !== 9) break
  }
  return at
}

/** Index of the closing quote of the string that opens at `at`, or -1. */
export function stringEnd(text: string, at: number): number {
  for (let i = at + 1; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code === BACKSLASH) i++
    else if (code === QUOTE) return i
  }
  return -1
}

/** Index of the opening quote of the string that closes at `at`, or -1. A quote behind an odd run of backslashes is content. */
function stringStart(text: string, at: number): number {
  for (let i = at - 1; i > 0; i--) {
    if (text.charCodeAt(i) !== QUOTE) continue
    let before = i - 1
    while (before >= 0 && text.charCodeAt(before) === BACKSLASH) before--
    // A run of backslashes that the start of the text cuts cannot be counted.
    if (before < 0) return -1
    if ((i - 1 - before) % 2 === 0) return i
  }
  return -1
}

/** Index just behind the value that starts at `at`, or -1 when it does not end in this text. */
export function skipValue(text: string, at: number): number {
  const first = text.charCodeAt(at)
  if (first === QUOTE) {
    const end = stringEnd(text, at)
    return end === -1 ? -1 : end + 1
  }
  if (first === OPEN_BRACE || first === OPEN_BRACKET) {
    let depth = 0
    for (let i = at; i < text.length; i++) {
      const code = text.charCodeAt(i)
      if (code === QUOTE) {
        i = stringEnd(text, i)
        if (i === -1) return -1
      } else if (code === OPEN_BRACE || code === OPEN_BRACKET) depth++
      else if ((code === CLOSE_BRACE || code === CLOSE_BRACKET) && --depth === 0) return i + 1
    }
    return -1
  }
  let i = at
  while (i < text.length && isLiteral(text.charCodeAt(i))) i++
  return i === at || i === text.length ? -1 : i
}

/** Index of the first character of the value whose last character is at `at`, or -1. */
function skipValueBack(text: string, at: number): number {
  const last = text.charCodeAt(at)
  if (last === QUOTE) return stringStart(text, at)
  if (last === CLOSE_BRACE || last === CLOSE_BRACKET) {
    let depth = 0
    for (let i = at; i >= 0; i--) {
      const code = text.charCodeAt(i)
      if (code === QUOTE) {
        i = stringStart(text, i)
        if (i === -1) return -1
      } else if (code === CLOSE_BRACE || code === CLOSE_BRACKET) depth++
      else if ((code === OPEN_BRACE || code === OPEN_BRACKET) && --depth === 0) return i
    }
    return -1
  }
  let i = at
  while (i >= 0 && isLiteral(text.charCodeAt(i))) i--
  return i === at || i < 0 ? -1 : i + 1
}

/** A character of a number, `true`, `false` or `null`. */
function isLiteral(code: number): boolean {
  return (
    (code >= 48 && code <= 57) ||
    (code >= 97 && code <= 122) ||
    code === 45 ||
    code === 43 ||
    code === 46 ||
    code === 69
  )
}

function scalar(text: string, start: number, end: number): string | undefined {
  const first = text.charCodeAt(start)
  if (first === OPEN_BRACE || first === OPEN_BRACKET) return undefined
  if (first !== QUOTE) {
    const literal = text.slice(start, end)
    return literal === 'null' || literal === 'true' || literal === 'false' ? undefined : literal
  }
  const raw = text.slice(start + 1, end - 1)
  if (!raw.includes('\\')) return raw
  try {
    return JSON.parse(`"${raw}"`) as string
  } catch {
    return undefined
  }
}

/** Index of the first character from `at` on that is no white space. */
export function skipSpace(text: string, at: number): number {
  while (text.charCodeAt(at) <= SPACE) at++
  return at
}
