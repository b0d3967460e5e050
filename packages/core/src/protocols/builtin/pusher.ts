import { defineProtocol, type Protocol, type ProtocolRecord } from '../protocol.ts'

/** The protocol of Pusher Channels, version 7: https://pusher.com/docs/channels/library_auth_reference/pusher-websockets-protocol */
export const pusher: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'pusher',
  hashesIds: true,
  recognize: (message) =>
    message.text('event') === 'pusher:connection_established' || message.text('event') === 'pusher:subscribe',
  read(message, state): ProtocolRecord | undefined {
    const event = message.text('event')
    const channel = message.id('channel')
    switch (event) {
      case undefined:
        return undefined
      case 'pusher:subscribe':
        return { kind: 'request', id: message.id('data.channel'), name: event, type: 'subscription', secret: true }
      case 'pusher_internal:subscription_succeeded':
        return { kind: 'started', id: channel }
      case 'pusher:subscription_error':
        return { kind: 'response', id: channel, failed: true, error: message.text('data.status') }
      case 'pusher:unsubscribe':
        return { kind: 'cancel', id: message.id('data.channel') }
      case 'pusher:ping':
        return { kind: 'control', ping: 'ping' }
      case 'pusher:pong':
        return { kind: 'control', ping: 'pong' }
      case 'pusher:connection_established':
      case 'pusher:signin':
      case 'pusher:signin_success':
      case 'pusher:error':
        return { kind: 'control', secret: true }
    }
    if (channel !== undefined && state.isOpen(channel)) return { kind: 'item', id: channel }
    return { kind: 'event', name: event }
  },
})
