import type { Protocol } from '../lib/cases.ts'
import { clientFrame, message, repeated, serverFrame } from './frames.ts'

const MESSAGE_SIZE = 128
const LARGEST_READ = 64 * 1024

/** What a client of one protocol writes, and what it must get back, as bytes on the wire. */
export interface Dialect {
  readonly path: string
  /** What is read after the handshake's answer, one after the other, and what is said then. */
  readonly joining: readonly { readonly after: RegExp; readonly say?: Buffer }[]
  readonly request: Buffer
  readonly response: Buffer
  /** The response many times over. */
  readonly expected: Buffer
  /** What asks the server to tell all of its clients. */
  readonly broadcast: Buffer
  /** What all of them are told. */
  readonly news: Buffer
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
    news: serverFrame(text('news')),
  }
}

export const dialects: Readonly<Record<Protocol, Dialect>> = {
  ws: dialect('/echo', [], (name) => [`{"type":"${name}","text":"`, '"}']),
  'socket.io': dialect(
    '/socket.io/?EIO=4&transport=websocket',
    // The session's open packet, and the answer to the request to join the main namespace.
    [{ after: /0\{.*\}/, say: clientFrame('40') }, { after: /40\{.*\}/ }],
    (name) => [`42["${name}","`, '"]'],
  ),
}
