import { defineProtocol, type Protocol } from '../protocol.ts'

/** Phoenix channels, version 2 of the serializer: `[join_ref, ref, topic, event, payload]`. */
export const phoenix: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'phoenix',
  conventions: { constant: { 'rpc.system': 'phoenix' }, name: 'rpc.method' },
  recognize: (message) =>
    (message.text('[3]') === 'phx_join' && message.id('[1]') !== undefined) ||
    (message.text('[3]') === 'phx_reply' && message.text('[4].status') !== undefined),
  read(message) {
    const id = message.id('[1]')
    const event = message.text('[3]')
    switch (event) {
      case undefined:
        return undefined
      case 'heartbeat':
        return message.text('[2]') === 'phoenix'
          ? { kind: 'control', id, ping: 'ping' }
          : { kind: 'request', id, name: event, type: 'call' }
      case 'phx_reply': {
        const status = message.text('[4].status')
        return { kind: 'response', id, failed: status === undefined ? undefined : status !== 'ok' }
      }
      case 'phx_join':
        return { kind: 'request', id, name: event, type: 'join', secret: true }
      case 'phx_close':
      case 'phx_error':
        return { kind: 'control' }
      default:
        return id === undefined ? { kind: 'event', name: event } : { kind: 'request', id, name: event, type: 'call' }
    }
  },
})
