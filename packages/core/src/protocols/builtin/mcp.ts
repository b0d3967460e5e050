import {
  defineProtocol,
  type Protocol,
  type ProtocolMessage,
  type ProtocolRecord,
  type ProtocolState,
} from '../protocol.ts'
import { readJsonRpc } from './json-rpc.ts'

/** Methods that act on one thing, by the member that names it. Addresses of resources are content. */
const TARGETS: Readonly<Record<string, string>> = { 'tools/call': 'params.name', 'prompts/get': 'params.name' }

/** The member of `_meta` that every request has since the version of 2026-07-28. */
const VERSION = 'params._meta["io.modelcontextprotocol/protocolVersion"]'

function isMcp(message: ProtocolMessage): boolean {
  if (message.text('jsonrpc') !== '2.0') return false
  if (message.text(VERSION) !== undefined) return true
  return message.text('method') === 'initialize' && message.text('params.protocolVersion') !== undefined
}

function read(message: ProtocolMessage, state: ProtocolState): ProtocolRecord | undefined {
  const method = message.text('method')
  if (method === 'ping') return { kind: 'control', id: message.id('id'), ping: 'ping' }
  if (method === 'notifications/cancelled') return { kind: 'cancel', id: message.id('params.requestId') }
  const record = readJsonRpc(message, state)
  if (record?.kind === 'response' && record.failed === false && message.has('result.isError')) {
    return { ...record, failed: true, error: 'tool_error' }
  }
  const path = method === undefined ? undefined : TARGETS[method]
  const target = path === undefined ? undefined : message.text(path)
  return target === undefined || record === undefined ? record : { ...record, name: `${method} ${target}` }
}

/** The Model Context Protocol over WebSockets: https://modelcontextprotocol.io/specification */
export const mcp: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'mcp',
  subprotocols: ['mcp'],
  batches: true,
  slot: 'params._meta',
  conventions: {
    constant: { 'rpc.system': 'jsonrpc' },
    name: 'rpc.method',
    id: 'jsonrpc.request.id',
    error: 'rpc.response.status_code',
  },
  recognize: isMcp,
  confirms: (message) => message.text('jsonrpc') === '2.0',
  read,
})
