import { defineProtocol, type Protocol, type ProtocolMessage, type ProtocolRecord } from '../protocol.ts'
import { graphqlOperation } from './graphql-document.ts'

const CONVENTIONS = { name: 'graphql.operation.name', type: 'graphql.operation.type' }
const SLOT = 'payload.extensions'

function request(message: ProtocolMessage): ProtocolRecord {
  const operationName = message.text('payload.operationName')
  const path = 'payload.query'
  let operation = graphqlOperation(message.text(path, 256), operationName)
  // The operation is rarely behind the first fragment.
  if (operation.type === undefined) operation = graphqlOperation(message.text(path), operationName)
  const { name, type } = operation
  return { kind: 'request', id: message.id('id'), name: operationName ?? name, type }
}

function item(message: ProtocolMessage): ProtocolRecord {
  const failed = message.has('payload.errors')
  const error = failed ? message.text('payload.errors[0].extensions.code') : undefined
  return { kind: 'item', id: message.id('id'), failed, error }
}

/** The protocol of `graphql-ws`: https://github.com/enisdenjo/graphql-ws/blob/master/PROTOCOL.md */
export const graphqlTransportWs: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'graphql-transport-ws',
  subprotocols: ['graphql-transport-ws'],
  slot: SLOT,
  conventions: CONVENTIONS,
  read(message) {
    switch (message.text('type')) {
      case 'subscribe':
        return request(message)
      case 'next':
        return item(message)
      case 'error':
        return {
          kind: 'response',
          id: message.id('id'),
          failed: true,
          error: message.text('payload[0].extensions.code'),
        }
      case 'complete':
        return { kind: 'complete', id: message.id('id') }
      case 'ping':
        return { kind: 'control', ping: 'ping' }
      case 'pong':
        return { kind: 'control', ping: 'pong' }
      case 'connection_init':
      case 'connection_ack':
        return { kind: 'control', secret: true }
      default:
        return undefined
    }
  },
})

/** The protocol of `subscriptions-transport-ws`, whose subprotocol is called `graphql-ws`. */
export const graphqlWs: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'graphql-ws',
  subprotocols: ['graphql-ws'],
  slot: SLOT,
  conventions: CONVENTIONS,
  read(message) {
    switch (message.text('type')) {
      case 'start':
        return request(message)
      case 'data':
        return item(message)
      case 'error':
        return { kind: 'response', id: message.id('id'), failed: true, error: message.text('payload.extensions.code') }
      case 'complete':
        return { kind: 'complete', id: message.id('id') }
      case 'stop':
        return { kind: 'cancel', id: message.id('id') }
      case 'connection_init':
      case 'connection_ack':
      case 'connection_error':
        return { kind: 'control', secret: true }
      case 'ka':
      case 'connection_terminate':
        return { kind: 'control' }
      default:
        return undefined
    }
  },
})
