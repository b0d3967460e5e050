import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'

const BODY = `"${'x'.repeat(126)}"`

/** A server of plain requests on a free port of the loopback interface. Its answers are the same to the byte. */
export function listen(): Promise<number> {
  const server = createServer({ keepAliveTimeout: 0 }, (_, response) => {
    response.sendDate = false
    response.writeHead(200, { 'Content-Length': BODY.length })
    response.end(BODY)
  })
  server.listen(0, '127.0.0.1')
  return once(server, 'listening').then(() => (server.address() as AddressInfo).port)
}
