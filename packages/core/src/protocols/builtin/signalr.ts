import { defineProtocol, type Protocol } from '../protocol.ts'

/** The JSON protocol of SignalR: https://github.com/dotnet/aspnetcore/blob/main/src/SignalR/docs/specs/HubProtocol.md */
export const signalr: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'signalr',
  separator: '\u001e',
  slot: 'headers',
  conventions: { constant: { 'rpc.system': 'signalr' }, name: 'rpc.method' },
  // The handshake, or the answer to it.
  recognize: (message) =>
    (message.text('protocol') === 'json' && message.text('version') !== undefined) || message.head === '{}\u001e',
  read(message, state) {
    const id = message.id('invocationId')
    switch (message.text('type')) {
      case '1':
        return id === undefined
          ? { kind: 'event', name: message.text('target') }
          : { kind: 'request', id, name: message.text('target'), type: 'call' }
      case '2':
        return { kind: 'item', id }
      case '3': {
        const failed = message.has('error')
        return { kind: state.typeOf(id) === 'stream' ? 'complete' : 'response', id, failed }
      }
      case '4':
        return { kind: 'request', id, name: message.text('target'), type: 'stream' }
      case '5':
        return { kind: 'cancel', id }
      case '6':
      case '7':
      case '8':
      case '9':
        return { kind: 'control' }
      case undefined:
        // The handshake and its answer.
        return message.text('protocol') !== undefined || message.head === '{}\u001e' || message.has('error')
          ? { kind: 'control', secret: true }
          : undefined
      default:
        return undefined
    }
  },
})
