import { closePayload, encodeFrame, OPCODE } from '../../testing/frames.ts'
import type { RawClient } from '../../testing/raw-client.ts'
import type { CloseFacts, HostSocket } from '../harness.ts'

/** The longest message that the host of a close case accepts. */
export const CLOSE_CASE_LIMIT = 1000

export interface CloseCase extends CloseFacts {
  act(peer: RawClient, socket: HostSocket): unknown
  /** Close code that the `close` event of `ws` reports, where it differs. */
  readonly reportedByWs?: number
}

const closeWith =
  (code: number, reason?: string) =>
  (peer: RawClient): void =>
    peer.send(OPCODE.close, closePayload(code, reason))

/** A frame that breaks the protocol: the server sends this code and ends the connection. */
function refused(code: 1002 | 1007 | 1009, act: (peer: RawClient) => unknown): CloseCase {
  const category = code === 1009 ? 'too_big' : 'protocol_error'
  return { act, code, category, initiator: 'local', error: true, reportedByWs: 1006 }
}

const remote = (category: string, code: number): CloseCase => ({
  act: closeWith(code),
  code,
  category,
  initiator: 'remote',
})

const local = (category: string, code: number): CloseCase => ({
  act: (_, socket) => socket.close(code),
  code,
  category,
  initiator: 'local',
})

/** The close frames of a client, and how it can break a connection. */
export const remoteCloseCases: Readonly<Record<string, CloseCase>> = {
  'peer: 1000': remote('normal', 1000),
  'peer: no code': { ...remote('no_status', 1005), act: (peer) => peer.send(OPCODE.close) },
  'peer: 1001': remote('going_away', 1001),
  'peer: 1003': { ...remote('protocol_error', 1003), error: true },
  'peer: 1008': remote('policy', 1008),
  'peer: 1009': { ...remote('too_big', 1009), error: true },
  'peer: 1011': { ...remote('server_error', 1011), error: true },
  'peer: 1012': remote('restart', 1012),
  'peer: 3000': remote('application', 3000),
  'peer: 4999': remote('application', 4999),
  'network: reset': { act: (peer) => peer.reset(), code: 1006, category: 'abnormal', initiator: 'network' },
  'network: end without a close frame': {
    act: (peer) => peer.end(),
    code: 1006,
    category: 'abnormal',
    initiator: 'network',
  },
  'message too big': refused(1009, (peer) => peer.send(OPCODE.binary, Buffer.alloc(2 * CLOSE_CASE_LIMIT))),
  'fragments too big': refused(1009, (peer) =>
    peer.write(
      encodeFrame(OPCODE.binary, Buffer.alloc(600), { fin: false }),
      encodeFrame(OPCODE.continuation, Buffer.alloc(600)),
    ),
  ),
  'bad UTF-8': refused(1007, (peer) => peer.send(OPCODE.text, Buffer.from([0xc3, 0x28]))),
  'unmasked frame': refused(1002, (peer) => peer.send(OPCODE.text, 'x', { masked: false })),
  'unknown opcode': refused(1002, (peer) => peer.send(3, 'x')),
  'reserved bit': refused(1002, (peer) => peer.send(OPCODE.text, 'x', { reserved: 4 })),
  'fragmented ping': refused(1002, (peer) => peer.send(OPCODE.ping, 'x', { fin: false })),
  'continuation of nothing': refused(1002, (peer) => peer.send(OPCODE.continuation, 'x')),
  'close frame of one byte': refused(1002, (peer) => peer.send(OPCODE.close, Buffer.from([3]))),
  'close frame with a reserved code': refused(1002, closeWith(1005)),
  'close frame with a bad reason': refused(1007, (peer) =>
    peer.send(OPCODE.close, Buffer.concat([closePayload(1000), Buffer.from([0xff])])),
  ),
}

/** Closes by the server's application. */
const localCloseCases: Readonly<Record<string, CloseCase>> = {
  'local: 1000': local('normal', 1000),
  'local: no code': { ...local('no_status', 1005), act: (_, socket) => socket.close() },
  'local: 1001': local('going_away', 1001),
  'local: 1008': local('policy', 1008),
  'local: 1011': { ...local('server_error', 1011), error: true },
  'local: 1013': local('restart', 1013),
  'local: 4001': local('application', 4001),
  'local: close twice': {
    ...local('application', 4001),
    act(_, socket) {
      socket.close(4001)
      socket.close(4002)
    },
  },
  "both at once, the server's frame first": {
    ...local('application', 4001),
    act(peer, socket) {
      socket.onMessage(() => socket.close(4001))
      peer.write(encodeFrame(OPCODE.text, 'bye'), encodeFrame(OPCODE.close, closePayload(4002)))
    },
    reportedByWs: 4002,
  },
  'local: close, then terminate': {
    ...local('going_away', 1001),
    act(_, socket) {
      socket.close(1001)
      socket.terminate()
    },
    reportedByWs: 1006,
  },
  'local: terminate': { ...local('abnormal', 1006), act: (_, socket) => socket.terminate() },
}

/** The close table: an action on either end, and how the close span must describe it. */
export const closeCases: Readonly<Record<string, CloseCase>> = { ...remoteCloseCases, ...localCloseCases }

/** Answers the server's close frame, as RFC 6455 asks of a client. */
export async function answerClose(peer: RawClient): Promise<void> {
  try {
    for (;;) {
      const frame = await peer.nextFrame()
      if (frame.opcode !== OPCODE.close) continue
      peer.send(OPCODE.close, frame.payload)
      return
    }
  } catch {
    // The connection ended without one.
  }
}
