import { isIP } from 'node:net'

const loopback = /^(localhost|127(\.\d{1,3}){3}|\[::1\])$/

/** Hostname of a `Host` header or origin, without port, lower case; empty when it is not one. */
function hostname(host: string): string {
  try {
    return new URL(`http://${host}`).hostname
  } catch {
    return ''
  }
}

/** Decides which names the viewer answers to and which pages of other origins may export to it. */
export class Access {
  readonly #hosts: ReadonlySet<string>
  readonly #origins: ReadonlySet<string>

  constructor(hosts: readonly string[], origins: readonly string[]) {
    this.#hosts = new Set(hosts.map((host) => host.toLowerCase()))
    this.#origins = new Set(origins)
  }

  /**
   * Whether the `Host` header names us: a loopback name, an IP address, or a name that was allowed. A page of an
   * attacker whose name was rebound to our address carries the attacker's name here.
   */
  allowsHost(host: string | undefined): boolean {
    if (host === undefined) return false
    const name = hostname(host)
    return loopback.test(name) || isIP(name.replace(/^\[|\]$/g, '')) !== 0 || this.#hosts.has(name)
  }

  /** Whether a page of this origin may export to us: one served from loopback, or one that was allowed. */
  allowsOrigin(origin: string): boolean {
    if (this.#origins.has(origin)) return true
    try {
      const url = new URL(origin)
      return (url.protocol === 'http:' || url.protocol === 'https:') && loopback.test(url.hostname)
    } catch {
      return false
    }
  }
}
