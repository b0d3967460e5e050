import type { Protocol } from '../lib/cases.ts'
import { clientFrame, message, repeated, serverFrame } from './frames.ts'

const MESSAGE_SIZE = 128
const LARGEST_READ = 64 * 1024

/** The bytes that a client of one protocol writes, and those that it must get back. */
export interface Dialect {
  /** Path of the upgrade request; `undefined` for clients that send none. */
  readonly path: string | undefined
  /** The packets to wait for after the handshake's answer, one after the other, and the answer to each. */
  readonly joining: readonly { readonly after: RegExp; readonly answer?: Buffer }[]
  readonly request: Buffer
  readonly response: Buffer
  /** The response many times over. */
  readonly expected: Buffer
  /** Asks the server to send a message to all of its clients. */
  readonly broadcast: Buffer
  /** The message that all of them get. */
  readonly received: Buffer
}

function dialect(path: string, joining: Dialect['joining'], wrap: (name: string) => [string, string]): Dialect {
  const text = (name: string) => message(MESSAGE_SIZE, ...wrap(name))
  const response = serverFrame(text('echo'))
  return {
    path,
    joining,
    request: clientFrame(text('echo')),
    response,
    expected: repeated(response, Math.ceil(LARGEST_READ / response.length) + 1),
    broadcast: clientFrame(text('news')),
    received: serverFrame(text('news')),
  }
}

/** Plain requests and their answers. */
function httpDialect(): Dialect {
  const body = message(MESSAGE_SIZE, '"', '"')
  const response = Buffer.from(
    `HTTP/1.1 200 OK\r\nContent-Length: ${body.length}\r\nConnection: keep-alive\r\n\r\n${body}`,
  )
  return {
    path: undefined,
    joining: [],
    request: Buffer.from('GET /echo HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n'),
    response,
    expected: repeated(response, Math.ceil(LARGEST_READ / response.length) + 1),
    broadcast: Buffer.alloc(0),
    received: Buffer.alloc(0),
  }
}

export const dialects: Readonly<Record<Protocol, Dialect>> = {
  ws: dialect('/echo', [], (name) => [`{"type":"${name}","id":1,"text":"`, '"}']),
  http: httpDialect(),
  'socket.io': dialect(
    '/socket.io/?EIO=4&transport=websocket',
    // The session's open packet, and the answer to the request to join the main namespace.
    [{ after: /0\{.*\}/, answer: clientFrame('40') }, { after: /40\{.*\}/ }],
    (name) => [`42["${name}","`, '"]'],
  ),
}
