import { expect, test } from 'vitest'
import { noteOf } from '../src/query/note.ts'
import { operationOf } from '../src/store/operation.ts'
import { span } from './support/spans.ts'

const noted: readonly [name: string, attributes: Record<string, string | number>, note: string][] = [
  ['GET /chat', { 'websocket.handshake.outcome': 'rejected', 'http.response.status_code': 401 }, 'rejected 401'],
  ['CONNECT /', { 'websocket.handshake.outcome': 'accepted', 'websocket.transport': 'polling' }, 'accepted, polling'],
  [
    'connect /chat',
    {
      'websocket.handshake.outcome': 'accepted',
      'http.response.status_code': 101,
      'websocket.reconnect.attempt': 2,
      'websocket.reconnect.downtime': 1.3,
    },
    'accepted 101, attempt 2 to reconnect, after 1.3 s',
  ],
  ['broadcast said', { 'websocket.broadcast.recipients': 3, 'websocket.broadcast.skipped': 0 }, 'to 3 here'],
  [
    'deliver said',
    { 'websocket.broadcast.recipients': 3, 'websocket.broadcast.skipped': 1, 'websocket.deliver.lag': 0.0042 },
    'to 3 here, 1 skipped, lag 4.2 ms',
  ],
  ['process enter', { 'websocket.ack.outcome': 'ok' }, 'ack ok'],
  [
    'process listen',
    {
      'websocket.stream.items': 12,
      'websocket.stream.time_to_first_item': 0.21,
      'websocket.stream.outcome': 'completed',
    },
    '12 items, first after 210 ms',
  ],
  ['process listen', { 'websocket.stream.items': 1, 'websocket.stream.outcome': 'cancelled' }, '1 item, cancelled'],
  ['send tick', { 'websocket.send.undelivered.reason': 'volatile' }, 'not delivered: volatile'],
  ['send ask', { 'websocket.ack.outcome': 'timeout' }, 'ack timeout'],
  [
    'close /chat',
    { 'websocket.close.category': 'application', 'websocket.close.code': 4400, 'websocket.close.reason': 'not JSON' },
    'application 4400, not JSON',
  ],
  ['open /chat', {}, ''],
]

test.each(noted)('%s with %o', (name, attributes, note) => {
  const one = span({ name, attributes: { 'websocket.connection.id': 'c1', ...attributes } })
  expect(noteOf(one, operationOf(one))).toBe(note)
})

test('spans of others are not read', () => {
  const one = span({ name: 'process payment', attributes: { 'websocket.ack.outcome': 'ok' } })
  expect(noteOf(one, operationOf(one))).toBe('')
})
