import { expect, test } from 'vitest'
import { readLogs } from '../src/otlp/logs.ts'
import { connectionDetail } from '../src/query/connection-detail.ts'
import { listLogs } from '../src/query/log-list.ts'
import { traceDetail } from '../src/query/trace-detail.ts'
import { span, storeWith } from './support/spans.ts'

const start = 1_763_721_000_000
const text = (key: string, value: string) => ({ key, value: { stringValue: value } })

/** Log records as OTLP/JSON has them; each is `record` with what is given. */
function request(...records: Record<string, unknown>[]) {
  const logRecords = records.map((record, index) => ({
    timeUnixNano: String(BigInt(start + index) * 1_000_000n),
    severityNumber: 9,
    body: { stringValue: `record ${index}` },
    ...record,
  }))
  return {
    resourceLogs: [
      {
        resource: { attributes: [text('service.name', 'chat')] },
        scopeLogs: [{ scope: { name: 'pino' }, logRecords }],
      },
    ],
  }
}

const everything = { text: '', service: '', level: '' } as const

function storeOf(...records: Record<string, unknown>[]) {
  const store = storeWith({ maxLogs: 5 })
  const { items, rejected } = readLogs(request(...records))
  store.addLogs(items, rejected)
  return store
}

test('a record is read with its severity, body and span', () => {
  const { items } = readLogs(
    request(
      { severityNumber: 18, severityText: 'ERROR2', traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) },
      { severityNumber: 'SEVERITY_NUMBER_WARN2', body: { kvlistValue: { values: [text('user', 'ada')] } } },
      {
        severityNumber: undefined,
        timeUnixNano: undefined,
        observedTimeUnixNano: '1763721000000000000',
        eventName: 'login',
      },
    ),
  )
  expect(items).toMatchObject([
    { severity: 18, level: 'error', severityText: 'ERROR2', body: 'record 0', scope: 'pino', traceId: 'a'.repeat(32) },
    { severity: 14, level: 'warn', body: '{"user":"ada"}' },
    { severity: 0, level: 'info', time: start, eventName: 'login' },
  ])
})

test('a record without a time is left out and counted', () => {
  expect(readLogs(request({ timeUnixNano: '0' }, {}))).toMatchObject({
    rejected: 1,
    reason: 'a log record without a valid time',
  })
})

test('records are listed newest first, by level, service, search and time', () => {
  const store = storeOf(
    { severityNumber: 5 },
    { severityNumber: 13, body: { stringValue: 'token expired' } },
    { severityNumber: 17 },
  )
  const bodies = (filter: Partial<Parameters<typeof listLogs>[1]>) =>
    listLogs(store.logs, { ...everything, ...filter }, 10).rows.map(({ body }) => body)
  expect(bodies({})).toEqual(['record 2', 'token expired', 'record 0'])
  expect(bodies({ level: 'warn' })).toEqual(['record 2', 'token expired'])
  expect(bodies({ text: 'EXPIRED' })).toEqual(['token expired'])
  expect(bodies({ service: 'other' })).toEqual([])
  expect(bodies({ range: { from: start + 1, to: start + 1 } })).toEqual(['token expired'])
  expect(listLogs(store.logs, everything, 1)).toMatchObject({ matching: 3, total: 3, services: ['chat'] })
  expect(listLogs(store.logs, everything, 10, start + 1).rows).toHaveLength(1)
})

test('records are bounded, the oldest go first and are counted', () => {
  const store = storeOf(...Array.from({ length: 12 }, () => ({ traceId: 'c'.repeat(32) })))
  expect(store.counts()).toMatchObject({ logs: 5, logsDropped: 7 })
  expect(store.logs.ofTrace('c'.repeat(32)).map(({ body }) => body)).toEqual(
    [7, 8, 9, 10, 11].map((n) => `record ${n}`),
  )
  store.clear()
  expect(store.counts()).toMatchObject({ logs: 0, logsDropped: 0 })
  expect(store.logs.ofTrace('c'.repeat(32))).toEqual([])
})

test('a record is found in its trace, at its span and in its connection', () => {
  const message = span({
    name: 'process a',
    attributes: { 'websocket.connection.id': 'c1', 'websocket.route': '/chat' },
  })
  const { traceId, spanId } = message
  const store = storeOf(
    { traceId, spanId },
    { attributes: [text('websocket.connection.id', 'c1')] },
    { traceId: 'd'.repeat(32) },
  )
  store.addSpans([message], 0)
  const logsOf = (id: string) => store.logs.ofTrace(id)
  expect(traceDetail(store.traces, traceId, { logsOf })).toMatchObject({
    logCount: 1,
    logs: [{ body: 'record 0', spanId }],
  })
  const facts = () => ({ rtt: null, buffered: null })
  const detail = connectionDetail(store.connections, store.traces, 'c1', 0, facts, store.logs)
  expect(detail?.logs.map(({ body }) => body)).toEqual(['record 0', 'record 1'])
})
