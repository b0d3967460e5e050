import { looksLikeToken, REDACTED } from './token.ts'

/** Longest query and path that are recorded; what is beyond is cut off. */
const MAX_QUERY_LENGTH = 2048
const MAX_PATH_LENGTH = 1024

/** Names of the context in a query. They are never recorded, whatever is allowed. */
const CONTEXT_NAMES = ['traceparent', 'tracestate', 'baggage']

/** Words that contain a part of {@link SECRET_PARTS} and are no secrets. */
const HARMLESS =
  /bypass|compass|monkey|donkey|turkey|hockey|jockey|keyword|keyboard|keynote|author(?!i[sz])|sight|signal|sigma|design|assign|credit|credib|sacred|encod|decod|unicode|codec|footprint/g

/** Parts that make a name secret wherever they stand in it, whatever separates its letters. */
const SECRET_PARTS =
  /token|secret|passw|passphrase|passcode|passkey|apikey|auth|cred|sess|bearer|ticket|signature|hmac|jwt|saml|assertion|csrf|xsrf|cookie|verifier|nonce|recovery/

/** Short parts, within one word of a name: `robot_pos` does not contain `otp`. */
const SECRET_WORDS =
  /key|sig|otp|pwd|code|sid\b|\bpass\d*\b|[a-z]pass\b|\b(?:pin|mac|pat|sas|sso|pw|psk|mfa|tfa|dsn|cert|invite)\d*\b/

/** Removes what must not be recorded from the texts that a peer has sent. */
export interface Redactor {
  /** A query: the values of secret names, and values that look like tokens, become `REDACTED`; all else stays byte for byte. */
  query(query: string): string
  /** A path: segments that look like tokens, or that carry a secret by name, become `REDACTED`. */
  path(path: string): string
  /** A subprotocol: `REDACTED` if it looks like a token or contains one. */
  subprotocol(subprotocol: string): string
}

/**
 * Creates the redaction of one host. Names are compared without regard to case and to what separates their words.
 *
 * @param extra further names that carry secrets
 * @param allowed names that are recorded although a part of them looks secret
 */
export function createRedactor(extra: readonly string[] = [], allowed: readonly string[] = []): Redactor {
  const secret = new Set([...extra.map(canonical), ...CONTEXT_NAMES])
  const harmless = new Set(allowed.map(canonical))
  for (const name of secret) harmless.delete(name)

  function isSecret(name: string): boolean {
    const whole = canonical(name)
    if (harmless.has(whole)) return false
    return secret.has(whole) || secret.has(canonical(lastSegment(name))) || looksSecret(name)
  }

  /** True if a text contains a token, a user's password in a URL, or a secret name with a value after it. */
  function hidesSecret(text: string): boolean {
    if (looksLikeToken(text)) return true
    const decoded = decode(text)
    if (looksLikeToken(decoded) || /\/\/[^/?#@\s]*@/.test(decoded)) return true
    const parts = decoded.split(/[=:]/)
    parts.pop()
    return parts.some((part) => {
      const name = part
        .split(/[&;,?#/{}"'()|\\]+/)
        .filter((each) => each.trim() !== '')
        .at(-1)
      return name !== undefined && isSecret(name)
    })
  }

  function redactPair(pair: string): string {
    const equals = pair.indexOf('=')
    // A pair without a value is a flag, or a token without a name.
    if (equals === -1) return hidesSecret(pair) || looksLikeToken(pair, 16) ? REDACTED : pair
    const name = pair.slice(0, equals)
    const decodedName = decode(name)
    if (harmless.has(canonical(decodedName))) return pair
    if (hidesSecret(name)) return REDACTED
    return isSecret(decodedName) || hidesSecret(pair.slice(equals + 1)) ? `${name}=${REDACTED}` : pair
  }

  function redactSegment(segment: string, index: number, segments: readonly string[]): string {
    if (hidesSecret(segment) || /:[^@]*@/.test(decode(segment))) return REDACTED
    // `/token/s3cret`, but not `/auth/v2` or `/session/join`
    const isValue = /\d/.test(segment) && !/^v\d+(\.\d+)*$/i.test(segment)
    return isValue && index > 0 && isSecret(decode(segments[index - 1] as string)) ? REDACTED : segment
  }

  return {
    query: (query) => query.slice(0, MAX_QUERY_LENGTH).split('&').map(redactPair).join('&'),
    path: (path) => path.slice(0, MAX_PATH_LENGTH).split('/').map(redactSegment).join('/'),
    subprotocol(subprotocol) {
      if (harmless.has(canonical(subprotocol))) return subprotocol
      const words = subprotocol.split(/[.\-_~!#$%&'*+^`|=:]+/)
      // `auth.s3cret` carries a secret and `access_token` names one.
      const carries = words.some((word, index) => index > 0 && /\d/.test(word) && isSecret(words[index - 1] as string))
      return carries || hidesSecret(subprotocol) || words.some((word) => looksLikeToken(word)) ? REDACTED : subprotocol
    },
  }
}

/** True if a part of the name is one that names of secrets have. */
function looksSecret(name: string): boolean {
  const plain = name.normalize('NFKC').replace(/[^\p{L}\p{N}]+/gu, ' ')
  // The words as separators part them, then also as capital letters do.
  return [plain, plain.replace(/([a-z0-9])([A-Z])/g, '$1 $2')].some((words) => {
    const text = words.toLowerCase().replace(HARMLESS, '')
    return SECRET_WORDS.test(text) || SECRET_PARTS.test(text.replace(/ /g, ''))
  })
}

function canonical(name: string): string {
  return name
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[^\p{L}\p{N}]+/gu, '')
}

/** `user[pin]` and `user.pin` carry what `pin` carries. */
function lastSegment(name: string): string {
  return (
    name
      .split(/[[\].]+/)
      .filter(Boolean)
      .at(-1) ?? name
  )
}

/** Replaces the escapes of ASCII characters, also those that were escaped several times. Malformed ones stay. */
function decode(text: string): string {
  let decoded = text.replace(/\+/g, ' ')
  for (let turns = 0; turns < 3; turns++) {
    const next = decoded.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) =>
      String.fromCharCode(Number.parseInt(hex, 16)),
    )
    if (next === decoded) break
    decoded = next
  }
  return decoded
}
