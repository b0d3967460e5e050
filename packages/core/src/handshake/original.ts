import type { Peer } from '../services/driver.ts'
import { type AnyUpgradeRequest, header, type OriginalRequest } from './request.ts'

/**
 * Decides whether a proxy is trusted.
 *
 * @param hop 0 for the peer of the socket, 1 for the address that it reports, and so on
 */
export type ProxyTrust = (address: string, hop: number) => boolean

/** The members of an Express application, or of a request's server, that are read. */
interface NodeServer {
  listeners?(event: 'request'): unknown[]
}

/**
 * The original request by `X-Forwarded-*`, else by `Forwarded` (RFC 7239); `undefined` if the peer of the socket is no
 * trusted proxy.
 *
 * @param setting option `trustProxy`; `undefined` asks the Express application of the request's server
 */
export function originalRequest(
  request: AnyUpgradeRequest,
  setting: boolean | number | undefined,
  peer: () => Peer,
): OriginalRequest | undefined {
  const trust = trustOf(request, setting)
  if (trust === undefined || !trust(peer().address ?? '', 0)) return undefined
  const forwardedFor = header(request, 'x-forwarded-for')
  const proto = header(request, 'x-forwarded-proto')
  const host = header(request, 'x-forwarded-host')
  const forwarded = header(request, 'forwarded')
  if (forwardedFor === undefined && proto === undefined && host === undefined && forwarded !== undefined) {
    const elements = split(forwarded, ',').map(parseElement)
    const index = clientIndex(
      elements.map((element) => element.for ?? ''),
      trust,
    )
    const element = elements[index]
    return { encrypted: isEncrypted(element?.proto), host: element?.host, client: parseAddress(element?.for) }
  }
  const addresses = forwardedFor?.split(',').map((address) => address.trim()) ?? []
  return {
    encrypted: isEncrypted(first(proto)),
    host: withPort(first(host), first(header(request, 'x-forwarded-port'))),
    client: parseAddress(addresses[clientIndex(addresses, trust)]),
  }
}

/** The trust of option `trustProxy`, else that of Express's setting `trust proxy`. */
function trustOf(request: AnyUpgradeRequest, setting: boolean | number | undefined): ProxyTrust | undefined {
  if (setting === false) return undefined
  if (setting === true) return () => true
  if (setting !== undefined) return (_, hop) => hop < setting
  const server = (request as { readonly socket?: { readonly server?: NodeServer } }).socket?.server
  for (const listener of server?.listeners?.('request') ?? []) {
    const { get, enabled } = listener as { get?: (name: string) => unknown; enabled?: unknown }
    if (typeof get !== 'function' || typeof enabled !== 'function') continue
    try {
      const trust = get.call(listener, 'trust proxy fn')
      if (typeof trust === 'function') return trust as ProxyTrust
    } catch {
      // It is no Express application.
    }
  }
  return undefined
}

/** Index of the client among addresses that proxies have appended: the first from the end that no trusted proxy has. */
function clientIndex(addresses: readonly string[], trust: ProxyTrust): number {
  let index = addresses.length - 1
  for (let hop = 1; index > 0 && trust(parseAddress(addresses[index])?.address ?? '', hop); hop++) index--
  return index
}

/** One element of `Forwarded`: its parameters. */
function parseElement(element: string): { for?: string; proto?: string; host?: string } {
  const parameters: Record<string, string> = {}
  for (const pair of split(element, ';')) {
    const equals = pair.indexOf('=')
    if (equals === -1) continue
    const value = pair.slice(equals + 1).trim()
    parameters[pair.slice(0, equals).trim().toLowerCase()] = value.startsWith('"')
      ? value.slice(1, -1).replace(/\\(.)/g, '$1')
      : value
  }
  return parameters
}

/** Splits at a separator outside of quotes. */
function split(text: string, separator: ',' | ';'): string[] {
  return text.match(separator === ',' ? /(?:"(?:[^"\\]|\\.)*"|[^,"])+/g : /(?:"(?:[^"\\]|\\.)*"|[^;"])+/g) ?? []
}

/** `192.0.2.1`, `192.0.2.1:4711`, `2001:db8::1`, `[2001:db8::1]:4711`; `undefined` for what is no address. */
function parseAddress(text: string | undefined): Peer | undefined {
  const match = /^(?:\[([0-9a-f:.]{2,45})\]|(\d{1,3}(?:\.\d{1,3}){3}))(?::(\d{1,5}))?$/i.exec(text ?? '')
  if (match !== null) {
    return { address: match[1] ?? match[2], port: match[3] === undefined ? undefined : Number(match[3]) }
  }
  return text?.includes(':') && /^[0-9a-f:.]{2,45}$/i.test(text) ? { address: text } : undefined
}

function isEncrypted(proto: string | undefined): boolean | undefined {
  return proto === undefined
    ? undefined
    : /^(https|wss)$/i.test(proto) || (/^(http|ws)$/i.test(proto) ? false : undefined)
}

function first(list: string | undefined): string | undefined {
  return list?.split(',', 1)[0]?.trim() || undefined
}

function withPort(host: string | undefined, port: string | undefined): string | undefined {
  const isComplete = host === undefined || port === undefined || !/^\d{1,5}$/.test(port) || /:\d+$/.test(host)
  return isComplete ? host : `${host}:${port}`
}
