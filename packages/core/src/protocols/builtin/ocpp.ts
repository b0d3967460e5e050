import { defineProtocol, type Protocol } from '../protocol.ts'

/** OCPP-J 1.6, 2.0.1 and 2.1: arrays whose first element is the type of the message. */
export const ocpp: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'ocpp',
  subprotocols: ['ocpp1.2', 'ocpp1.5', 'ocpp1.6', 'ocpp2.0', 'ocpp2.0.1', 'ocpp2.1'],
  conventions: { constant: { 'rpc.system': 'ocpp' }, name: 'rpc.method' },
  read(message) {
    const id = message.id('[1]')
    switch (message.text('[0]')) {
      case '2': {
        const name = message.text('[2]')
        return name === 'Heartbeat'
          ? { kind: 'control', id, ping: 'ping' }
          : { kind: 'request', id, name, type: 'call' }
      }
      case '3':
        return { kind: 'response', id }
      case '4':
        return { kind: 'response', id, failed: true, error: message.text('[2]') }
      case '5':
        // The end that asked could not read the answer: the operation has ended with that.
        return { kind: 'control' }
      case '6':
        return { kind: 'event', name: message.text('[2]') }
      default:
        return undefined
    }
  },
})
