import { type Span, textAttribute } from '../model.ts'
import * as names from '../names.ts'

/** What failed of a span in error: its error type, else its status message. */
export function errorOf(span: Span): string {
  return textAttribute(span.attributes, names.ERROR_TYPE) || span.statusMessage || 'error'
}

/** How a handshake was not accepted, or why a close is unusual; empty for every other span. Neither need be an error. */
export function endingOf({ attributes }: Span): string {
  const outcome = textAttribute(attributes, names.HANDSHAKE_OUTCOME)
  if (outcome === 'rejected') return `rejected ${textAttribute(attributes, names.HTTP_STATUS)}`.trim()
  if (outcome === 'abandoned' || outcome === 'failed') return outcome
  const category = textAttribute(attributes, names.CLOSE_CATEGORY)
  if (category === '' || isUsualClose(category)) return ''
  return `${category} ${textAttribute(attributes, names.CLOSE_CODE)}`.trim()
}

/** Whether a close of this category needs no attention. */
export function isUsualClose(category: string): boolean {
  return category === 'normal' || category === 'going_away' || category === 'no_status'
}
