import { defineProtocol, type Protocol, type ProtocolMessage, type ProtocolRecord } from '../protocol.ts'

const COMMAND =
  /^[\r\n]*(CONNECT|STOMP|CONNECTED|SEND|SUBSCRIBE|UNSUBSCRIBE|ACK|NACK|BEGIN|COMMIT|ABORT|DISCONNECT|MESSAGE|RECEIPT|ERROR)\r?\n/

/** The first header of this name (STOMP 1.2: it counts), without its escapes. */
function header({ head }: ProtocolMessage, name: string): string | undefined {
  const end = head.search(/\r?\n\r?\n/)
  const headers = end === -1 ? head : head.slice(0, end)
  const at = headers.indexOf(`\n${name}:`)
  if (at === -1) return undefined
  const from = at + name.length + 2
  const to = headers.indexOf('\n', from)
  return (to === -1 ? headers.slice(from) : headers.slice(from, to)).replace(/\r$/, '').slice(0, 512)
}

function idOf(message: ProtocolMessage, name: string): string | undefined {
  const value = header(message, name)
  return value === undefined || value.length > 256 ? undefined : `"${value}`
}

/** STOMP 1.0 to 1.2: https://stomp.github.io/stomp-specification-1.2.html */
export const stomp: Protocol = /* @__PURE__ */ defineProtocol({
  name: 'stomp',
  subprotocols: ['v10.stomp', 'v11.stomp', 'v12.stomp'],
  binary: true,
  hashesIds: true,
  read(message): ProtocolRecord | undefined {
    if (message.head === '\n' || message.head === '\r\n') return { kind: 'control' }
    const command = COMMAND.exec(message.head)?.[1]
    switch (command) {
      case undefined:
        return undefined
      case 'SEND': {
        const receipt = idOf(message, 'receipt')
        // Destinations may be made for one user: they are content.
        return receipt === undefined
          ? { kind: 'event', name: command }
          : { kind: 'request', id: `receipt:${receipt}`, name: command, type: 'call' }
      }
      case 'SUBSCRIBE':
        return { kind: 'request', id: `subscription:${idOf(message, 'id')}`, name: command, type: 'subscription' }
      case 'UNSUBSCRIBE':
        return { kind: 'cancel', id: `subscription:${idOf(message, 'id')}` }
      case 'MESSAGE':
        return { kind: 'item', id: `subscription:${idOf(message, 'subscription')}` }
      case 'RECEIPT':
        return { kind: 'response', id: `receipt:${idOf(message, 'receipt-id')}` }
      case 'ERROR':
        return { kind: 'response', id: `receipt:${idOf(message, 'receipt-id')}`, failed: true, secret: true }
      default:
        return { kind: 'control', secret: true }
    }
  },
})
