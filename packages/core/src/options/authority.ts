/** Host and port of a URL that a client dials, in the form of the header `Host`; `undefined` if the text is not a URL. */
export function authorityOf(url: string): string | undefined {
  const { location } = globalThis as { location?: { href: string } }
  try {
    // A Unix domain socket has no host: Node then sends this one.
    return new URL(url, location?.href).host || 'localhost'
  } catch {
    return undefined
  }
}

/** True if the value of `Host` names this authority, with or without the default port of either scheme. */
export function sameAuthority(authority: string, host: string | undefined): boolean {
  if (host === undefined || /[/?#@\\]/.test(host)) return false
  return authority === authorityOf(`ws://${host}`) || authority === authorityOf(`wss://${host}`)
}

/** True for a host with an optional port, such as `chat.example.com` or `[::1]:8080`. */
export function isAuthority(value: unknown): value is string {
  return typeof value === 'string' && /^[^\s/?#@\\]+$/.test(value) && authorityOf(`ws://${value}`) !== undefined
}

/** An authority as clients write it in an offer: without the default port of either scheme. */
export function normalAuthority(value: string): string {
  return (authorityOf(`wss://${value}`) as string).replace(/:80$/, '')
}
