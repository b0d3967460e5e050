import { actioncable } from './builtin/actioncable.ts'
import { graphqlTransportWs, graphqlWs } from './builtin/graphql.ts'
import { jsonRpc } from './builtin/json-rpc.ts'
import { mcp } from './builtin/mcp.ts'
import { ocpp } from './builtin/ocpp.ts'
import { phoenix } from './builtin/phoenix.ts'
import { pusher } from './builtin/pusher.ts'
import { signalr } from './builtin/signalr.ts'
import { stomp } from './builtin/stomp.ts'
import { trpc } from './builtin/trpc.ts'
import type { Protocol, ProtocolMessage } from './protocol.ts'

// Marked as pure throughout: a page that records no operations must not carry them.

/** The protocols that are built in. Those whose messages are more specific come first. */
const BUILT_IN: readonly Protocol[] = [
  graphqlTransportWs,
  graphqlWs,
  trpc,
  mcp,
  jsonRpc,
  ocpp,
  signalr,
  phoenix,
  actioncable,
  pusher,
  stomp,
]

export const PROTOCOL_NAMES: readonly string[] = /* @__PURE__ */ BUILT_IN.map(({ name }) => name)

/** The protocol of this name. */
export function protocolNamed(name: string): Protocol | undefined {
  return BUILT_IN.find((protocol) => protocol.name === name)
}

/** The protocol of a negotiated subprotocol. */
export function protocolOfSubprotocol(subprotocol: string | undefined): Protocol | undefined {
  if (subprotocol === undefined || subprotocol === '') return undefined
  return BUILT_IN.find(({ subprotocols }) => subprotocols?.includes(subprotocol) === true)
}

const RECOGNIZED = /* @__PURE__ */ BUILT_IN.filter(({ recognize }) => recognize !== undefined)

/** The protocol that a message is recognised by. */
export function recognizeProtocol(message: ProtocolMessage): Protocol | undefined {
  return RECOGNIZED.find(({ recognize }) => recognize?.(message) === true)
}
