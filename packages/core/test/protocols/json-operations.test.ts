import { expect, it } from 'vitest'
import { jsonOperations, parseJsonOperations } from '../../src/protocols/json-operations.ts'
import { MessageReader } from '../../src/protocols/message-reader.ts'
import type { Protocol } from '../../src/protocols/protocol.ts'

const reader = new MessageReader()

/** The kinds that a protocol reads of the messages of one connection; ids that were asked for are open. */
function kindsOf(protocol: Protocol, messages: readonly unknown[]): string[] {
  const open = new Set<string>()
  return messages.map((message) => {
    reader.load(JSON.stringify(message), '', true)
    const state = { isSent: false, isOpen: (id?: string) => id !== undefined && open.has(id), typeOf: () => undefined }
    const { kind, id, name, failed } = protocol.read(reader, state) ?? { kind: 'any' }
    if (kind === 'request' && id !== undefined) open.add(id)
    if (kind === 'response' && id !== undefined) open.delete(id)
    return [kind, name, failed === true ? 'failed' : undefined].filter((part) => part !== undefined).join(' ')
  })
}

// Messages of three protocols as their public documentation has them.
it('reads the Chrome DevTools Protocol: one id for the call and its answer, events without', () => {
  const protocol = jsonOperations({ id: '$.id', name: '$.method', error: '$.error' })
  expect(
    kindsOf(protocol, [
      { id: 1, method: 'Page.navigate', params: { url: 'https://example.com' } },
      { method: 'Page.frameStartedLoading', params: { frameId: 'A' } },
      { id: 1, result: { frameId: 'A' } },
      { id: 2, method: 'Nope.nope' },
      { id: 2, error: { code: -32601, message: "'Nope.nope' wasn't found" } },
    ]),
  ).toEqual([
    'request Page.navigate',
    'event Page.frameStartedLoading',
    'response',
    'request Nope.nope',
    'response failed',
  ])
})

it('reads the WebSocket API of Home Assistant: results by id, events of a subscription with its id', () => {
  const protocol = jsonOperations({ id: '$.id', name: '$.type', error: '$.error', item: 'event', auth: ['auth'] })
  expect(
    kindsOf(protocol, [
      { id: 18, type: 'call_service', domain: 'light', service: 'turn_on' },
      { id: 18, type: 'result', success: true, result: { context: {} } },
      { id: 19, type: 'call_service', domain: 'nope' },
      { id: 19, type: 'result', success: false, error: { code: 'not_found', message: 'Service not found.' } },
      { id: 20, type: 'subscribe_events' },
      { id: 20, type: 'event', event: { data: {} } },
      { type: 'auth_required' },
      { type: 'auth', access_token: 'secret' },
    ]),
  ).toEqual([
    'request call_service',
    'response',
    'request call_service',
    'response failed',
    'request subscribe_events',
    'item',
    'event auth_required',
    'control',
  ])
})

it('reads obs-websocket 5: ids, names and failures below a member', () => {
  const protocol = jsonOperations({ id: '$.d.requestId', name: '$.d.requestType', error: '$.d.requestStatus.comment' })
  expect(
    kindsOf(protocol, [
      { op: 6, d: { requestType: 'SetCurrentProgramScene', requestId: 'f8', requestData: { sceneName: 'A' } } },
      {
        op: 7,
        d: { requestType: 'SetCurrentProgramScene', requestId: 'f8', requestStatus: { result: true, code: 100 } },
      },
      { op: 6, d: { requestType: 'Nope', requestId: 'f9' } },
      {
        op: 7,
        d: { requestType: 'Nope', requestId: 'f9', requestStatus: { result: false, code: 204, comment: 'no' } },
      },
      { op: 5, d: { eventType: 'StudioModeStateChanged', eventIntent: 1 } },
    ]),
  ).toEqual(['request SetCurrentProgramScene', 'response', 'request Nope', 'response failed', 'any'])
})

it('reads the same format from a variable', () => {
  const protocol = parseJsonOperations('json id=$.id name=$.type error=$.error item=event,chunk end=done protocol=home')
  expect(protocol?.name).toBe('home')
  expect(
    kindsOf(protocol as Protocol, [
      { id: 1, type: 'ask' },
      { id: 1, type: 'chunk' },
      { id: 1, type: 'done' },
    ]),
  ).toEqual(['request ask', 'item', 'complete'])
  expect(parseJsonOperations('json id=$.id')).toBe(undefined)
  expect(parseJsonOperations('xml id=$.id name=$.type')).toBe(undefined)
})
