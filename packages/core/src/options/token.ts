/** Tokens that begin in a known way: JWTs, schemes of `Authorization`, keys of well-known services. */
const KNOWN =
  /eyJ[\w-]{5}|\b(?:bearer|basic|digest)[\s.:_-]+\S|\b(?:sk|pk|rk)[-_](?:live|test|proj)?[-_]?\w{8}|\bgh[a-z]_\w{8}|github_pat_|glpat-|\bxox[a-z]-|\bAKIA\w{8}|\bAIza[\w-]{8}|\bya29\./i

/** What is recorded in the place of a secret. */
export const REDACTED = 'REDACTED'

/** Shortest text that is taken for a token by its letters alone. */
const TOKEN_LENGTH = 20

/**
 * True if a text looks like a token: it begins like one, or a part of it consists of letters and digits as random texts
 * do. Ids that are no secrets by their form (UUIDs, hex of less than 32 digits) and words are none.
 *
 * @param length shortest random text, in characters
 */
export function looksLikeToken(text: string, length = TOKEN_LENGTH): boolean {
  if (KNOWN.test(text)) return true
  if (text.length < length) return false
  return isRandom(text, length) || text.split(/[^\w+\-~]+/).some((part) => isRandom(part, length))
}

function isRandom(text: string, length: number): boolean {
  if (text.length < length || !/^[\w+/=.~-]+$/.test(text)) return false
  if (/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)) return false
  if (/^[0-9a-f]+$/i.test(text))
    return text.length >= (length < TOKEN_LENGTH ? length : 32) && /\d/.test(text) && /[a-f]/i.test(text)
  const digits = text.match(/\d/g)?.length ?? 0
  if (digits === 0) return text.length >= 32 && /[a-z]/.test(text) && /[A-Z]/.test(text) && !/[-_./]/.test(text)
  if (!/[a-z]/i.test(text)) return false
  // Slugs and paths are words of one case: `room-of-the-year-2026`, `/chat/lobby/2026`.
  if (/[-_./]/.test(text) && !(/[a-z]/.test(text) && /[A-Z]/.test(text))) {
    return text.split(/[-_./]/).some((part) => part.length >= length && isRandom(part, length))
  }
  return (/[a-z]/.test(text) && /[A-Z]/.test(text)) || digits >= 3
}

/** A text that is recorded as it is unless it looks like a token. */
export function withoutToken(text: string): string {
  return looksLikeToken(text) ? REDACTED : text
}
