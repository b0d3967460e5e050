import type { IncomingMessage, ServerResponse } from 'node:http'
import type { PageFile } from '@otel-ws/demo-kit'

/** Answers a request for one of the files of a page, which are known by their paths. */
export async function serveFile(
  files: ReadonlyMap<string, PageFile>,
  { url = '/', method }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const file = method === 'GET' ? files.get(url.split('?', 1)[0] as string) : undefined
  if (file === undefined) {
    response.writeHead(404).end()
    return
  }
  const content = await file.read()
  response.writeHead(200, { 'content-type': file.type }).end(content)
}
