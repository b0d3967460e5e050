import { readFile } from 'node:fs/promises'
import type { IncomingMessage, ServerResponse } from 'node:http'

const FILES: Readonly<Record<string, readonly [file: string, type: string]>> = {
  '/': ['index.html', 'text/html'],
  '/chat.js': ['chat.js', 'text/javascript'],
  '/chat.css': ['chat.css', 'text/css'],
}

/** Serves the chat's page. */
export async function servePage({ url = '/', method }: IncomingMessage, response: ServerResponse): Promise<void> {
  const [file, type] = FILES[url.split('?', 1)[0] as string] ?? []
  if (file === undefined || method !== 'GET') {
    response.writeHead(404).end()
    return
  }
  const content = await readFile(new URL(`../public/${file}`, import.meta.url))
  response.writeHead(200, { 'content-type': `${type}; charset=utf-8` }).end(content)
}
