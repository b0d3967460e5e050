import { createHash, randomBytes, timingSafeEqual } from 'node:crypto'
import type { IncomingHttpHeaders } from 'node:http'

/** A token that nothing else knows. */
export function newToken(): string {
  return randomBytes(16).toString('hex')
}

/** Checks that requests carry the token of the viewer: programs in a header, the page in a cookie. */
export class TokenCheck {
  readonly #token: Buffer | undefined

  /** Without a token every request passes. */
  constructor(token: string | undefined) {
    this.#token = token === undefined ? undefined : digest(token)
  }

  /** Whether a token is asked for. */
  get needed(): boolean {
    return this.#token !== undefined
  }

  /** Whether it is this token. */
  accepts(token: string | undefined): boolean {
    return this.#token === undefined || (token !== undefined && timingSafeEqual(digest(token), this.#token))
  }

  /** Whether the headers of a request carry it, as `authorization: Bearer …` or in the cookie of the page. */
  allows({ authorization, cookie, host }: IncomingHttpHeaders): boolean {
    if (this.#token === undefined) return true
    return this.accepts(bearer(authorization)) || this.accepts(cookieOf(cookie, cookieName(host)))
  }

  /** The `set-cookie` that lets a page in that was opened with the token. */
  cookie(token: string, host: string | undefined): string {
    return `${cookieName(host)}=${encodeURIComponent(token)}; Path=/; HttpOnly; SameSite=Strict`
  }
}

/** Token of an `authorization` header or of gRPC's metadata; undefined when there is none. */
export function bearer(authorization: string | undefined): string | undefined {
  return /^Bearer\s+(.+)$/i.exec(authorization ?? '')?.[1]
}

/** Cookies know no ports: those of two viewers on one machine must not overwrite each other. */
function cookieName(host: string | undefined): string {
  return `otel-ws-viewer-${/:(\d+)$/.exec(host ?? '')?.[1] ?? '80'}`
}

function cookieOf(header: string | undefined, name: string): string | undefined {
  for (const pair of (header ?? '').split(';')) {
    const [key, value = ''] = pair.trim().split('=', 2)
    if (key !== name) continue
    try {
      return decodeURIComponent(value)
    } catch {
      return undefined
    }
  }
  return undefined
}

// Of equal length, whatever was sent: a comparison in constant time needs that.
function digest(token: string): Buffer {
  return createHash('sha256').update(token).digest()
}
