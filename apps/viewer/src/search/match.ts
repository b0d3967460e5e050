import type { AttributeValue } from '../model.ts'
import type { KeyTerm, TextTerm } from './parse.ts'

/** Whether a value meets the condition; `undefined` is a key that is not there. */
export function meets(term: KeyTerm, value: AttributeValue | undefined): boolean {
  if (value === undefined) return false
  const { comparison, number } = term
  if (term.value === '*') return comparison === '='
  if (comparison === '=') return isEqual(term, value)
  if (comparison === '!=') return !isEqual(term, value)
  const compared = typeof value === 'number' ? value : Number(value)
  if (typeof value === 'boolean' || value === '' || Number.isNaN(compared) || number === undefined) return false
  if (comparison === '<') return compared < number
  if (comparison === '<=') return compared <= number
  return comparison === '>' ? compared > number : compared >= number
}

function isEqual(term: KeyTerm, value: AttributeValue): boolean {
  return String(value) === term.value || (typeof value === 'number' && value === term.number)
}

/** Whether a text contains what is looked for, in capital letters or small ones. */
export function contains(term: TextTerm, text: AttributeValue): boolean {
  return text !== '' && term.pattern.test(typeof text === 'string' ? text : String(text))
}

const idStart = /^[0-9a-f]{4,32}$/i

/** Whether an id is, or starts with, what is looked for: four hex digits or more. */
export function startsId(term: TextTerm, id: string): boolean {
  return idStart.test(term.text) && id.startsWith(term.text.toLowerCase())
}
