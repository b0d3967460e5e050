import { OTHER } from '../../schema.ts'
import {
  defineProtocol,
  type Protocol,
  type ProtocolMessage,
  type ProtocolRecord,
  type ProtocolState,
} from '../protocol.ts'

/** Reads one message of JSON-RPC 2.0. */
export function readJsonRpc(message: ProtocolMessage, state: ProtocolState): ProtocolRecord | undefined {
  const id = message.id('id')
  const method = message.text('method')
  if (method !== undefined) {
    if (method === '$/cancelRequest') return { kind: 'cancel', id: message.id('params.id') }
    return id === undefined ? { kind: 'event', name: method } : { kind: 'request', id, name: method, type: 'call' }
  }
  const failed = message.has('error')
  const result = message.has('result')
  // Neither lies in the part of a long message that is read: the id says what it is.
  if (id !== undefined && message.has('method') === undefined && result === undefined && !failed && !state.isOpen(id)) {
    return { kind: 'request', id, name: OTHER, type: 'call' }
  }
  if (failed) return { kind: 'response', id, failed, error: message.text('error.code') }
  const hasResult = result !== false || message.text('jsonrpc') === '2.0'
  if (id !== undefined && hasResult) return { kind: 'response', id, failed }
  // `rpc-websockets` has a form of its own.
  const name = message.text('notification')
  return name === undefined ? undefined : { kind: 'event', name }
}

/** JSON-RPC 2.0, in both directions: https://www.jsonrpc.org/specification */
export const jsonRpc: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'json-rpc',
  subprotocols: ['jsonrpc', 'jsonrpc-2.0', 'jsonrpc2.0'],
  batches: true,
  conventions: {
    constant: { 'rpc.system': 'jsonrpc', 'rpc.jsonrpc.version': '2.0' },
    name: 'rpc.method',
    id: 'rpc.jsonrpc.request_id',
    error: 'rpc.jsonrpc.error_code',
  },
  recognize: (message) => message.text('jsonrpc') === '2.0',
  read: readJsonRpc,
})
