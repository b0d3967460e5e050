// biome-ignore-all assist/source/organizeImports: the names are grouped by topic.

// Helpers for adapters of hosts that run on Node. They follow semantic versioning, as the port `./adapter` does.

// --- Wrapping methods of the host ---
export { copySignature, hiddenProperty, unwrapMethods, withArgument, wrapMethod } from './node/wrap-method.ts'

// --- `EventEmitter`: dispatching events while keeping what listeners return ---
export { dispatch, dispatchAll, type Emitter, usesPlainEmit } from './node/emitter.ts'
export { followIterable, isAsyncIterable } from './node/iterable.ts'

// --- Upgrade requests and their sockets ---
export { startHandshake, watchUpgrade } from './node/upgrade-socket.ts'
export { peerOf } from './node/peer.ts'

// --- `ws` and its payloads ---
export { byteLength, payloadText } from './node/payload.ts'
export {
  createSend,
  defersWrites,
  type PartialMessage,
  type SendMethod,
  type WsMessage,
  type WsSender,
  wsPrototype,
} from './node/ws-send.ts'
export { closeCodeOf } from './node/ws-error.ts'
