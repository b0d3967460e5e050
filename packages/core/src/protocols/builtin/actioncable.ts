import { defineProtocol, type Protocol } from '../protocol.ts'

/** The class of the channel in an identifier, which is a JSON text in a string. */
function channelOf(identifier: string | undefined): string | undefined {
  return identifier === undefined ? undefined : /"channel"\s*:\s*"([\w:]{1,64})"/.exec(identifier)?.[1]
}

/** The protocol of Rails' Action Cable. */
export const actioncable: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'actioncable',
  subprotocols: ['actioncable-v1-json', 'actioncable-unsupported'],
  hashesIds: true,
  conventions: { constant: { 'rpc.system': 'actioncable' } },
  read(message) {
    const id = message.id('identifier')
    const identifier = message.text('identifier')
    switch (message.text('command')) {
      case 'subscribe':
        return { kind: 'request', id, name: channelOf(identifier), type: 'subscription', secret: true }
      case 'unsubscribe':
        return { kind: 'cancel', id }
      case 'message':
        return { kind: 'event', name: channelOf(identifier) }
    }
    switch (message.text('type')) {
      case 'confirm_subscription':
        return { kind: 'started', id }
      case 'reject_subscription':
        return { kind: 'response', id, failed: true, error: 'rejected' }
      case 'welcome':
      case 'ping':
      case 'disconnect':
        return { kind: 'control' }
      case undefined:
        return id === undefined ? undefined : { kind: 'item', id }
      default:
        return undefined
    }
  },
})
