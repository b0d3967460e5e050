import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'
import { CHAT_STYLE, PAGE_TELEMETRY, type PageTelemetry, pageBundle } from '@otel-ws/demo-kit'

const FILES: Readonly<Record<string, readonly [file: URL, type: string]>> = {
  '/': [new URL('../public/index.html', import.meta.url), 'text/html'],
  '/chat.css': [CHAT_STYLE, 'text/css'],
}

const chatScript = pageBundle(new URL('../public/chat.js', import.meta.url))

/** Serves the chat's page, and tells it where its telemetry goes. */
export async function servePage(
  { url = '/', method }: IncomingMessage,
  response: ServerResponse,
  telemetry: PageTelemetry,
): Promise<void> {
  const [path] = url.split('?', 1) as [string]
  if (path === '/chat.js') {
    response.writeHead(200, { 'content-type': 'text/javascript; charset=utf-8' }).end(await chatScript())
    return
  }
  if (path === PAGE_TELEMETRY) {
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(telemetry))
    return
  }
  const [file, type] = FILES[path] ?? []
  if (file === undefined || method !== 'GET') {
    response.writeHead(404).end()
    return
  }
  const content = await readFile(file)
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(content)
}
