import type { ServerResponse } from 'node:http'

/** Answers with a line of text. */
export function text(response: ServerResponse, status: number, message: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' })
  response.end(`${message}\n`)
}

/** Answers with a value as JSON. */
export function json(response: ServerResponse, value: unknown, headers: Readonly<Record<string, string>> = {}): void {
  const body = JSON.stringify(value)
  response.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': Buffer.byteLength(body),
    'cache-control': 'no-store',
    ...headers,
  })
  response.end(body)
}

/** Answers 405 with the methods that are allowed. */
export function notAllowed(response: ServerResponse, allowed: string): void {
  response.setHeader('allow', allowed)
  text(response, 405, `Only ${allowed} is allowed here.`)
}
