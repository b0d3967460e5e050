const REDACTED = 'REDACTED'

/** Query names whose values are never recorded, compared without regard to case, `-`, `_` and `.`. */
const SECRET_NAMES = [
  'token',
  'accesstoken',
  'idtoken',
  'refreshtoken',
  'authtoken',
  'auth',
  'authorization',
  'apikey',
  'key',
  'secret',
  'clientsecret',
  'password',
  'passwd',
  'pwd',
  'pass',
  'session',
  'sessionid',
  'sid',
  'jwt',
  'ticket',
  'code',
  'sig',
  'signature',
  'credential',
  'credentials',
  'xamzsignature',
  'xamzcredential',
  'xamzsecuritytoken',
  'awsaccesskeyid',
  'xgoogsignature',
  'traceparent',
  'tracestate',
  'baggage',
]

/**
 * Returns a function that redacts the query of a URL: values of names that carry secrets become `REDACTED`, all else
 * stays as it was sent, byte for byte, malformed escapes included. `extra` adds names to the built-in list.
 */
export function createQueryRedactor(extra: readonly string[] = []): (query: string) => string {
  const secret = new Set([...SECRET_NAMES, ...extra.map(canonical)])
  return (query) =>
    query
      .split('&')
      .map((pair) => {
        const equals = pair.indexOf('=')
        if (equals === -1) return pair
        const name = decode(pair.slice(0, equals))
        const carries = secret.has(canonical(name)) || secret.has(canonical(lastSegment(name)))
        return carries ? `${pair.slice(0, equals)}=${REDACTED}` : pair
      })
      .join('&')
}

function canonical(name: string): string {
  return name.toLowerCase().replace(/[-_.[\]\s]/g, '')
}

/** `user[password]` and `user.password` carry what `password` carries. */
function lastSegment(name: string): string {
  return (
    name
      .split(/[[\].]+/)
      .filter(Boolean)
      .at(-1) ?? name
  )
}

function decode(name: string): string {
  try {
    return decodeURIComponent(name.replace(/\+/g, ' '))
  } catch {
    return name
  }
}
