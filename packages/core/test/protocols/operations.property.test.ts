import { ROOT_CONTEXT, SpanKind } from '@opentelemetry/api'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { OperationHost } from '../../src/operations/host.ts'
import type { OpenOperation, OperationScope } from '../../src/operations/open-operation.ts'
import { OperationNames } from '../../src/operations/operation-names.ts'
import { Operations } from '../../src/operations/operations.ts'
import { jsonOperations } from '../../src/protocols/json-operations.ts'
import type { Protocol } from '../../src/protocols/protocol.ts'
import { PROTOCOL_NAMES, protocolNamed } from '../../src/protocols/registry.ts'

interface Recorded {
  readonly outcomes: unknown[]
  started: number
  ended: number
  errors: unknown[]
  open: number
}

/** A connection that counts the operations which start and end. Its handlers settle at once. */
function connection(protocol: Protocol, maxOperations = 20) {
  const recorded: Recorded = { outcomes: [], started: 0, ended: 0, errors: [], open: 0 }
  const histogram = { record: (_: number, attributes: Record<string, unknown>) => recorded.outcomes.push(attributes) }
  const names = new OperationNames(undefined)
  const live = new Set<unknown>()
  const series = { attributes: {}, operations: new Map<string, number>() }
  const scopeOf = (operation: OpenOperation): OperationScope => {
    recorded.started++
    let isOver = false
    const end = () => {
      if (isOver) return
      isOver = true
      recorded.ended++
      operation.scopeEnds()
    }
    return Object.assign(Object.create(ROOT_CONTEXT), { span: undefined, release: end, cut: end, detach: end })
  }
  const host: OperationHost<unknown, undefined> = {
    route: '/x',
    received: 0,
    sent: 0,
    series,
    instruments: {
      recording: true,
      operationDuration: histogram as never,
      operationItems: histogram as never,
      streamFirstItem: { record() {} } as never,
      streamDuration: { record() {} } as never,
    },
    textOf: (data, start, end) => (start === 0 ? String(data).slice(0, end) : String(data).slice(start - end)),
    useProtocol: () => undefined,
    protocolConfirmed() {},
    traces: () => false,
    startOperationSpan: (_, kind) => {
      expect(Object.values(SpanKind)).toContain(kind)
      return undefined
    },
    startOperation: (_, { operation }) => scopeOf(operation),
    startBatch: () => Object.assign(Object.create(ROOT_CONTEXT), { hold() {}, done() {} }),
    startQuiet: (_, settled) => {
      settled?.()
      return {}
    },
    whenFlushed: (callback) => callback(),
    isFlushed: true,
    protocolFailed: (error) => recorded.errors.push(error),
  }
  const deadlines = {
    add: (entry: unknown) => void live.add(entry),
    delete: (entry: unknown) => void live.delete(entry),
  }
  const operations = new Operations(host, protocol, {
    names,
    deadlines,
    maxOperations,
    maxChildSpans: 1000,
    streamItems: false,
  })
  return { operations, recorded, names, live, series }
}

const id = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 2, '1', '2', 'a', null, '', '__proto__', 'constructor', 1e21, -0),
  fc.string(),
  fc.string({ minLength: 250, maxLength: 300 }),
)
const word = fc.constantFrom('query', 'get', 'item', 'done', 'stop', 'log', 'next', 'complete', 'error', 'subscribe')
const record = fc.oneof(
  fc.record({ id, type: word, error: fc.constantFrom<unknown>(undefined, null, false, 0, 'x', { code: 1 }) }),
  fc.record({ id, jsonrpc: fc.constant('2.0'), method: word }),
  fc.record({ id, jsonrpc: fc.constant('2.0'), result: fc.constantFrom(1, null) }),
  fc.record({
    id,
    method: fc.constantFrom('query', 'subscription', 'subscription.stop'),
    params: fc.record({ path: word }),
  }),
  fc.record({ id, result: fc.record({ type: fc.constantFrom('started', 'data', 'stopped') }) }),
  fc.record({ id, type: fc.constantFrom('subscribe', 'start', 'next', 'data', 'complete', 'stop', 'error', 'ping') }),
  fc.record({ type: fc.integer({ min: 1, max: 9 }), invocationId: id, target: word }),
  fc.tuple(fc.integer({ min: 2, max: 6 }), id, word),
  fc.tuple(id, id, fc.constant('t'), fc.constantFrom('phx_join', 'phx_reply', 'say'), fc.record({ status: word })),
  fc.record({ command: fc.constantFrom('subscribe', 'unsubscribe'), identifier: id }),
)
const message = fc.oneof(
  { weight: 6, arbitrary: record.map((value) => JSON.stringify(value)) },
  { weight: 2, arbitrary: fc.array(record, { maxLength: 5 }).map((value) => JSON.stringify(value)) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary' }) },
  { weight: 1, arbitrary: record.map((value) => JSON.stringify(value).slice(0, -3)) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('PING', 'PONG', '\n', 'SUBSCRIBE\nid:1\n\n\0', 'MESSAGE\nsubscription:1\n\n\0'),
  },
)
const step = fc.record({ isSent: fc.boolean(), isAccepted: fc.boolean(), text: message })

const custom = jsonOperations({
  id: '$.id',
  name: '$.type',
  error: '$.error',
  item: 'item',
  end: 'done',
  cancel: 'stop',
})
const protocols = [custom, ...PROTOCOL_NAMES.map((name) => protocolNamed(name) as Protocol)]

describe.each(protocols.map((protocol) => [protocol.name, protocol] as const))('%s', (_, protocol) => {
  it('ends what it starts, each once, whatever the messages', () => {
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const { operations, recorded, live, series } = connection(protocol)
        for (const { isSent, isAccepted, text } of steps) {
          if (!isSent) operations.receive(text, false, text.length, undefined)
          else {
            operations.send(text, false, text.length)
            if (isAccepted) operations.accepted(text.length)
            else operations.refused()
          }
          expect(operations.size).toBeLessThanOrEqual(40)
        }
        operations.close()
        expect(recorded.errors).toEqual([])
        expect(recorded.ended).toBe(recorded.started)
        expect(operations.size).toBe(0)
        expect(live.size).toBe(0)
        expect([...series.operations.values()].every((open) => open === 0)).toBe(true)
      }),
      { numRuns: 300 },
    )
  })
})

it('stays of one size under a million ids', () => {
  const { operations, recorded, live } = connection(protocolNamed('json-rpc') as Protocol, 1000)
  const send = (n: number) => {
    const text = `{"jsonrpc":"2.0","id":"${'x'.repeat(n % 200)}${n}","method":"m${n}"}`
    operations.receive(text, false, text.length, undefined)
  }
  for (let n = 0; n < 50_000; n++) send(n)
  globalThis.gc?.()
  const before = process.memoryUsage().heapUsed
  recorded.outcomes.length = 0
  for (let n = 50_000; n < 1_000_000; n++) {
    send(n)
    if (n % 10_000 === 0) recorded.outcomes.length = 0
  }
  globalThis.gc?.()
  expect(operations.size).toBe(1000)
  expect(live.size).toBe(1000)
  expect(process.memoryUsage().heapUsed - before).toBeLessThan(3_000_000)
  // A loaded machine needs minutes.
}, 600_000)

it('keeps invented names away from real ones', () => {
  const names = new OperationNames(undefined)
  const stranger = { proven: 0, unproven: 0 }
  for (let n = 0; n < 1000; n++) names.settle(`invented${n}`, false, { proven: 0, unproven: 0 })
  for (let n = 0; n < 1000; n++) names.settle(`made up ${n}`, true, stranger)
  expect(names.settle('GetUser', true, { proven: 0, unproven: 0 }).name).toBe('GetUser')
  expect(names.known('GetUser')?.process).toBe('process GetUser')
  expect(names.settle('invented999', false, { proven: 0, unproven: 0 }).name).toBe('_OTHER')
  expect(names.settle('invented999', true, { proven: 0, unproven: 0 }).name).toBe('invented999')
  expect(names.settle('made up 999', true, stranger).name).toBe('_OTHER')
})
