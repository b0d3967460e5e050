import { type ClientOptions, ClientTelemetry, startConnect } from '@otel-ws/core/client'
import { SCOPE } from './version.ts'

/**
 * The URL with the context of its connect, for sockets that can set no headers: `new WebSocket(traceUrl(url))`. The
 * connect span begins now, and the server's handshake becomes its child. It also asks the server for context in messages,
 * so trace the socket with {@link traceWebSocket}. While there is no SDK the URL stays as it is.
 *
 * @param options those that the socket is traced with
 */
export function traceUrl(url: string | URL, options?: ClientOptions): string {
  const text = String(url)
  const parameters = new URLSearchParams(startConnect(new ClientTelemetry(options, SCOPE), text, 'query')).toString()
  if (parameters === '') return text
  const [own, fragment] = text.split('#', 2) as [string, string?]
  const separator = own.includes('?') ? '&' : '?'
  return `${own}${separator}${parameters}${fragment === undefined ? '' : `#${fragment}`}`
}

/** Headers with the context of a connect, for clients that can set some. Otherwise as {@link traceUrl}. */
export function traceHeaders(url: string | URL, options?: ClientOptions): Record<string, string> {
  return startConnect(new ClientTelemetry(options, SCOPE), String(url), 'header')
}
