import { isIP } from 'node:net'

/** Names that lead to this machine by definition (RFC 6761), and the one under which containers reach it. */
const local = /^((.+\.)?localhost|127(\.\d{1,3}){3}|\[::1\])$/
const fromContainers = 'host.docker.internal'

/** Hostname of a `Host` header or origin, without port, lower case; empty when it is not one. */
function hostname(host: string): string {
  try {
    return new URL(`http://${host}`).hostname
  } catch {
    return ''
  }
}

/** Whether an address to listen on is this machine's own. */
export function isLoopback(host: string): boolean {
  return local.test(host === '::1' ? '[::1]' : host)
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
   * Whether the `Host` header names the viewer: a local name, an IP address, or a name that was allowed. A page of an
   * attacker whose name was rebound to this machine carries the attacker's name here.
   */
  allowsHost(host: string | undefined): boolean {
    if (host === undefined) return false
    const name = hostname(host)
    const isAddress = isIP(name.replace(/^\[|\]$/g, '')) !== 0
    return local.test(name) || name === fromContainers || isAddress || this.#hosts.has(name)
  }

  /** Whether a page of this origin may export to the viewer: one served from this machine, or one that was allowed. */
  allowsOrigin(origin: string): boolean {
    if (this.#origins.has(origin)) return true
    try {
      const url = new URL(origin)
      return (url.protocol === 'http:' || url.protocol === 'https:') && local.test(url.hostname)
    } catch {
      return false
    }
  }
}
