import { readFile } from 'node:fs/promises'
import { describe, expect, it } from 'vitest'
import { MessageReader } from '../../src/protocols/message-reader.ts'
import type { ProtocolRecord } from '../../src/protocols/protocol.ts'
import { protocolNamed } from '../../src/protocols/registry.ts'

/** Protocol and message as docs/protocols.md has them, an input, what is read of it, and the type of an open operation. */
type Row = readonly [protocol: string, message: string, text: string, record: ProtocolRecord, open?: string]

const ROWS: readonly Row[] = [
  [
    'graphql-transport-ws',
    '`connection_init`',
    '{"type":"connection_init","payload":{"token":"x"}}',
    { kind: 'control', secret: true },
  ],
  ['graphql-transport-ws', '`connection_ack`', '{"type":"connection_ack"}', { kind: 'control', secret: true }],
  ['graphql-transport-ws', '`ping`', '{"type":"ping"}', { kind: 'control', ping: 'ping' }],
  ['graphql-transport-ws', '`pong`', '{"type":"pong"}', { kind: 'control', ping: 'pong' }],
  [
    'graphql-transport-ws',
    '`subscribe`',
    '{"id":"1","type":"subscribe","payload":{"query":"query A { a }"}}',
    { kind: 'request', id: '"1', name: 'A', type: 'query' },
  ],
  [
    'graphql-transport-ws',
    '`next`',
    '{"id":"1","type":"next","payload":{"data":null,"errors":[{"extensions":{"code":"X"}}]}}',
    { kind: 'item', id: '"1', failed: true, error: 'X' },
  ],
  [
    'graphql-transport-ws',
    '`error`',
    '{"id":"1","type":"error","payload":[{"message":"m"}]}',
    { kind: 'response', id: '"1', failed: true },
  ],
  ['graphql-transport-ws', '`complete`', '{"id":"1","type":"complete"}', { kind: 'complete', id: '"1' }],
  [
    'graphql-ws',
    '`connection_init`',
    '{"type":"connection_init","payload":{"token":"x"}}',
    { kind: 'control', secret: true },
  ],
  ['graphql-ws', '`connection_ack`', '{"type":"connection_ack"}', { kind: 'control', secret: true }],
  ['graphql-ws', '`connection_error`', '{"type":"connection_error","payload":{}}', { kind: 'control', secret: true }],
  ['graphql-ws', '`ka`', '{"type":"ka"}', { kind: 'control' }],
  ['graphql-ws', '`connection_terminate`', '{"type":"connection_terminate"}', { kind: 'control' }],
  [
    'graphql-ws',
    '`start`',
    '{"id":"1","type":"start","payload":{"query":"{ a }"}}',
    { kind: 'request', id: '"1', type: 'query' },
  ],
  ['graphql-ws', '`data`', '{"id":"1","type":"data","payload":{"data":{}}}', { kind: 'item', id: '"1', failed: false }],
  [
    'graphql-ws',
    '`error`',
    '{"id":"1","type":"error","payload":{"message":"m"}}',
    { kind: 'response', id: '"1', failed: true },
  ],
  ['graphql-ws', '`complete`', '{"id":"1","type":"complete"}', { kind: 'complete', id: '"1' }],
  ['graphql-ws', '`stop`', '{"id":"1","type":"stop"}', { kind: 'cancel', id: '"1' }],
  [
    'trpc',
    '`connectionParams`',
    '{"method":"connectionParams","data":{"token":"x"}}',
    { kind: 'control', secret: true },
  ],
  [
    'trpc',
    '`query`, `mutation`, `subscription`',
    '{"id":1,"method":"query","params":{"path":"a.b"}}',
    { kind: 'request', id: '1', name: 'a.b', type: 'query' },
  ],
  ['trpc', '`subscription.stop`', '{"id":1,"method":"subscription.stop"}', { kind: 'cancel', id: '1' }],
  ['trpc', '`reconnect`', '{"id":null,"method":"reconnect"}', { kind: 'control' }],
  ['trpc', '`PING`', 'PING', { kind: 'control', ping: 'ping' }],
  ['trpc', '`PONG`', 'PONG', { kind: 'control', ping: 'pong' }],
  ['trpc', 'result `started`', '{"id":1,"result":{"type":"started"}}', { kind: 'started', id: '1' }],
  ['trpc', 'result `data`', '{"id":1,"result":{"type":"data","data":1}}', { kind: 'response', id: '1' }],
  [
    'trpc',
    'result `data` of a subscription',
    '{"id":1,"result":{"type":"data","data":1}}',
    { kind: 'item', id: '1' },
    'subscription',
  ],
  ['trpc', 'result `stopped`', '{"id":1,"result":{"type":"stopped"}}', { kind: 'complete', id: '1' }],
  [
    'trpc',
    'error',
    '{"id":1,"error":{"message":"m","data":{"code":"CONFLICT"}}}',
    { kind: 'response', id: '1', failed: true, error: 'CONFLICT' },
  ],
  [
    'json-rpc',
    'request',
    '{"jsonrpc":"2.0","id":1,"method":"m"}',
    { kind: 'request', id: '1', name: 'm', type: 'call' },
  ],
  ['json-rpc', 'notification', '{"jsonrpc":"2.0","method":"m"}', { kind: 'event', name: 'm' }],
  [
    'json-rpc',
    '`$/cancelRequest`',
    '{"jsonrpc":"2.0","method":"$/cancelRequest","params":{"id":1}}',
    { kind: 'cancel', id: '1' },
  ],
  ['json-rpc', 'response', '{"jsonrpc":"2.0","id":1,"result":null}', { kind: 'response', id: '1', failed: false }],
  [
    'json-rpc',
    'error',
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32601,"message":"m"}}',
    { kind: 'response', id: '1', failed: true, error: '-32601' },
  ],
  ['json-rpc', '`notification` of rpc-websockets', '{"notification":"n","params":[]}', { kind: 'event', name: 'n' }],
  [
    'mcp',
    'request',
    '{"jsonrpc":"2.0","id":1,"method":"resources/read","params":{"uri":"file:///x"}}',
    { kind: 'request', id: '1', name: 'resources/read', type: 'call' },
  ],
  [
    'mcp',
    '`tools/call`, `prompts/get`',
    '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"t"}}',
    { kind: 'request', id: '1', name: 'tools/call t', type: 'call' },
  ],
  ['mcp', '`ping`', '{"jsonrpc":"2.0","id":1,"method":"ping"}', { kind: 'control', id: '1', ping: 'ping' }],
  [
    'mcp',
    '`notifications/cancelled`',
    '{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}',
    { kind: 'cancel', id: '1' },
  ],
  [
    'mcp',
    'notification',
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
    { kind: 'event', name: 'notifications/initialized' },
  ],
  [
    'mcp',
    'response',
    '{"jsonrpc":"2.0","id":1,"result":{"isError":true}}',
    { kind: 'response', id: '1', failed: true, error: 'tool_error' },
  ],
  [
    'mcp',
    'error',
    '{"jsonrpc":"2.0","id":1,"error":{"code":-32602}}',
    { kind: 'response', id: '1', failed: true, error: '-32602' },
  ],
  ['ocpp', '2, call', '[2,"a","Authorize",{}]', { kind: 'request', id: '"a', name: 'Authorize', type: 'call' }],
  ['ocpp', '2, `Heartbeat`', '[2,"a","Heartbeat",{}]', { kind: 'control', id: '"a', ping: 'ping' }],
  ['ocpp', '3, result', '[3,"a",{}]', { kind: 'response', id: '"a' }],
  [
    'ocpp',
    '4, error',
    '[4,"a","GenericError","m",{}]',
    { kind: 'response', id: '"a', failed: true, error: 'GenericError' },
  ],
  ['ocpp', '5, error of a result', '[5,"a","GenericError","m",{}]', { kind: 'control' }],
  ['ocpp', '6, send', '[6,"a","NotifyPeriodicEventStream",{}]', { kind: 'event', name: 'NotifyPeriodicEventStream' }],
  ['signalr', 'handshake', '{"protocol":"json","version":1}\u001e', { kind: 'control', secret: true }],
  ['signalr', 'answer to the handshake', '{}\u001e', { kind: 'control', secret: true }],
  [
    'signalr',
    '1, invocation',
    '{"type":1,"invocationId":"1","target":"T"}\u001e',
    { kind: 'request', id: '"1', name: 'T', type: 'call' },
  ],
  ['signalr', '1, without an id', '{"type":1,"target":"T"}\u001e', { kind: 'event', name: 'T' }],
  ['signalr', '2, stream item', '{"type":2,"invocationId":"1"}\u001e', { kind: 'item', id: '"1' }],
  [
    'signalr',
    '3, completion',
    '{"type":3,"invocationId":"1","error":"m"}\u001e',
    { kind: 'response', id: '"1', failed: true },
  ],
  [
    'signalr',
    '3, completion of a stream',
    '{"type":3,"invocationId":"1"}\u001e',
    { kind: 'complete', id: '"1', failed: false },
    'stream',
  ],
  [
    'signalr',
    '4, stream invocation',
    '{"type":4,"invocationId":"1","target":"T"}\u001e',
    { kind: 'request', id: '"1', name: 'T', type: 'stream' },
  ],
  ['signalr', '5, cancel', '{"type":5,"invocationId":"1"}\u001e', { kind: 'cancel', id: '"1' }],
  ['signalr', '6 to 9: ping, close, ack, sequence', '{"type":6}\u001e', { kind: 'control' }],
  [
    'phoenix',
    '`phx_join`',
    '["1","1","t","phx_join",{}]',
    { kind: 'request', id: '"1', name: 'phx_join', type: 'join', secret: true },
  ],
  ['phoenix', 'push', '["1","2","t","say",{}]', { kind: 'request', id: '"2', name: 'say', type: 'call' }],
  [
    'phoenix',
    '`phx_reply`',
    '["1","2","t","phx_reply",{"status":"error"}]',
    { kind: 'response', id: '"2', failed: true },
  ],
  ['phoenix', '`heartbeat`', '[null,"3","phoenix","heartbeat",{}]', { kind: 'control', id: '"3', ping: 'ping' }],
  ['phoenix', '`phx_close`, `phx_error`', '["1",null,"t","phx_close",{}]', { kind: 'control' }],
  ['phoenix', 'broadcast', '[null,null,"t","presence",{}]', { kind: 'event', name: 'presence' }],
  [
    'actioncable',
    '`subscribe`',
    '{"command":"subscribe","identifier":"{\\"channel\\":\\"C\\"}"}',
    { kind: 'request', id: '"{"channel":"C"}', name: 'C', type: 'subscription', secret: true },
  ],
  ['actioncable', '`unsubscribe`', '{"command":"unsubscribe","identifier":"i"}', { kind: 'cancel', id: '"i' }],
  [
    'actioncable',
    '`message`',
    '{"command":"message","identifier":"{\\"channel\\":\\"C\\"}"}',
    { kind: 'event', name: 'C' },
  ],
  [
    'actioncable',
    '`confirm_subscription`',
    '{"type":"confirm_subscription","identifier":"i"}',
    { kind: 'started', id: '"i' },
  ],
  [
    'actioncable',
    '`reject_subscription`',
    '{"type":"reject_subscription","identifier":"i"}',
    { kind: 'response', id: '"i', failed: true, error: 'rejected' },
  ],
  ['actioncable', 'without a type', '{"identifier":"i","message":1}', { kind: 'item', id: '"i' }],
  ['actioncable', '`welcome`, `ping`, `disconnect`', '{"type":"ping"}', { kind: 'control' }],
  [
    'pusher',
    '`pusher:subscribe`',
    '{"event":"pusher:subscribe","data":{"channel":"c"}}',
    { kind: 'request', id: '"c', name: 'pusher:subscribe', type: 'subscription', secret: true },
  ],
  [
    'pusher',
    '`pusher_internal:subscription_succeeded`',
    '{"event":"pusher_internal:subscription_succeeded","channel":"c"}',
    { kind: 'started', id: '"c' },
  ],
  [
    'pusher',
    '`pusher:subscription_error`',
    '{"event":"pusher:subscription_error","channel":"c","data":{"status":401}}',
    { kind: 'response', id: '"c', failed: true, error: '401' },
  ],
  [
    'pusher',
    '`pusher:unsubscribe`',
    '{"event":"pusher:unsubscribe","data":{"channel":"c"}}',
    { kind: 'cancel', id: '"c' },
  ],
  ['pusher', '`pusher:ping`', '{"event":"pusher:ping"}', { kind: 'control', ping: 'ping' }],
  ['pusher', '`pusher:pong`', '{"event":"pusher:pong"}', { kind: 'control', ping: 'pong' }],
  [
    'pusher',
    '`pusher:signin`, `connection_established`, `error`',
    '{"event":"pusher:signin"}',
    { kind: 'control', secret: true },
  ],
  ['pusher', 'on a subscribed channel', '{"event":"order","channel":"c"}', { kind: 'item', id: '"c' }, 'subscription'],
  ['pusher', 'others', '{"event":"client-typing","channel":"c"}', { kind: 'event', name: 'client-typing' }],
  [
    'stomp',
    '`CONNECT`, `CONNECTED`, `ACK`, `NACK`, `BEGIN`, …',
    'CONNECT\nlogin:a\n\n\u0000',
    { kind: 'control', secret: true },
  ],
  ['stomp', 'heart-beat', '\n', { kind: 'control' }],
  [
    'stomp',
    '`SEND` with a receipt',
    'SEND\nreceipt:r\n\n\u0000',
    { kind: 'request', id: 'receipt:"r', name: 'SEND', type: 'call' },
  ],
  ['stomp', '`SEND`', 'SEND\ndestination:/q\n\n\u0000', { kind: 'event', name: 'SEND' }],
  ['stomp', '`RECEIPT`', 'RECEIPT\nreceipt-id:r\n\n\u0000', { kind: 'response', id: 'receipt:"r' }],
  [
    'stomp',
    '`ERROR`',
    'ERROR\nreceipt-id:r\n\nm\u0000',
    { kind: 'response', id: 'receipt:"r', failed: true, secret: true },
  ],
  [
    'stomp',
    '`SUBSCRIBE`',
    'SUBSCRIBE\nid:0\n\n\u0000',
    { kind: 'request', id: 'subscription:"0', name: 'SUBSCRIBE', type: 'subscription' },
  ],
  ['stomp', '`MESSAGE`', 'MESSAGE\nsubscription:0\n\n\u0000', { kind: 'item', id: 'subscription:"0' }],
  ['stomp', '`UNSUBSCRIBE`', 'UNSUBSCRIBE\nid:0\n\n\u0000', { kind: 'cancel', id: 'subscription:"0' }],
]

const reader = new MessageReader()

describe('every message of every protocol', () => {
  it.each(ROWS.map((row) => [row[0], row[1], row] as const))('%s %s', (name, _, [, , text, record, open]) => {
    reader.load(text, '', true)
    const state = { isSent: false, isOpen: () => open !== undefined, typeOf: () => open }
    const found = protocolNamed(name)?.read(reader, state)
    expect(JSON.parse(JSON.stringify(found))).toEqual(record)
  })

  it('has a row in the documentation, and the other way round', async () => {
    const page = await readFile(new URL('../../../../docs/protocols.md', import.meta.url), 'utf8')
    const table = page.slice(page.indexOf('## Messages on the wire')).split('\n')
    const rows = table
      .filter((line) => line.startsWith('| `'))
      .map((line) => line.split('|').map((cell) => cell.trim()))
      .map(([, protocol, message, kind]) => `${protocol} ${message} ${kind}`)
    expect(rows.sort()).toEqual(
      ROWS.map(([protocol, message, , { kind }]) => `\`${protocol}\` ${message} ${kind}`).sort(),
    )
  })
})
