import { defineProtocol, type Protocol, type ProtocolMessage, type ProtocolRecord } from '../protocol.ts'

const PROCEDURES = new Set(['query', 'mutation', 'subscription'])

function isAnswer(message: ProtocolMessage): boolean {
  if (message.has('error')) return message.text('error.data.code') !== undefined
  return message.text('result.type') !== undefined
}

/** The protocol of tRPC 11 over WebSockets. */
export const trpc: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'trpc',
  batches: true,
  conventions: { constant: { 'rpc.system': 'trpc' }, name: 'rpc.method' },
  recognize(message) {
    const method = message.text('method')
    if (method === 'connectionParams') return message.has('data') === true && message.id('id') === undefined
    if (message.id('id') === undefined) return false
    if (method === undefined) return isAnswer(message)
    return PROCEDURES.has(method) && message.text('params.path') !== undefined
  },
  read(message, state): ProtocolRecord | undefined {
    if (message.head === 'PING') return { kind: 'control', ping: 'ping' }
    if (message.head === 'PONG') return { kind: 'control', ping: 'pong' }
    const id = message.id('id')
    const method = message.text('method')
    if (method !== undefined) {
      if (PROCEDURES.has(method)) return { kind: 'request', id, name: message.text('params.path'), type: method }
      if (method === 'subscription.stop') return { kind: 'cancel', id }
      if (method === 'connectionParams') return { kind: 'control', secret: true }
      return method === 'reconnect' ? { kind: 'control' } : undefined
    }
    if (message.has('error')) return { kind: 'response', id, failed: true, error: message.text('error.data.code') }
    switch (message.text('result.type')) {
      case 'started':
        return { kind: 'started', id }
      case 'stopped':
        return { kind: 'complete', id }
      case 'data':
        return { kind: state.typeOf(id) === 'subscription' ? 'item' : 'response', id }
      default:
        // Of an answer that is longer than what is read, no more than the id is known.
        return id === undefined || message.isWhole ? undefined : { kind: 'response', id, failed: undefined }
    }
  },
})
