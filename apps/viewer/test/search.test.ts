import { expect, test } from 'vitest'
import type { LogRecord } from '../src/model.ts'
import { TraceTest } from '../src/query/filter.ts'
import { parseSearch } from '../src/search/parse.ts'
import { logHas, spanHas } from '../src/search/records.ts'
import { span, storeWith } from './support/spans.ts'

const event = { name: 'exception', time: 1, attributes: [['exception.message', 'no such room']] as const }
const failed = span({
  traceId: '4bf92f3577b34da6a3ce929d0e0e4736',
  name: 'process room.join',
  kind: 'consumer',
  duration: 150,
  error: true,
  statusMessage: 'The room is full',
  events: [event],
  attributes: {
    'websocket.connection.id': 'c1',
    'websocket.route': '/chat/:room',
    'websocket.message.size': 2048,
    'user.id': 'ada',
    'error.type': 'RoomFull',
    retried: true,
  },
})

test.each([
  // Any text that is shown, in capital letters or small ones.
  ['ROOM.JOIN', true],
  ['roomfull', true],
  ['"room is full"', true],
  ['"full room"', false],
  ['no such', true],
  ['ada', true],
  ['consumer', false],
  ['process', true],
  ['absent', false],
  // Keys, where the word looks like one.
  ['error.ty', true],
  ['websocket', false],
  // The start of an id, of four digits or more.
  ['4bf9', true],
  ['4BF92F35', true],
  ['bf92', false],
  // Attributes of span, resource and event, and short keys.
  ['user.id=ada', true],
  ['user.id=ad', false],
  ['user.id!=ada', false],
  ['user.id!=bob', true],
  ['absent!=bob', false],
  ['service.name=chat', true],
  ['exception.message="no such room"', true],
  ['event=exception', true],
  ['service=chat', true],
  ['route=/chat/:room', true],
  ['operation=process', true],
  ['status=error', true],
  ['error=RoomFull', true],
  ['connection=c1', true],
  ['retried=true', true],
  ['user.id=*', true],
  ['absent=*', false],
  // Numbers, with units.
  ['duration>100ms', true],
  ['duration>0.1s', true],
  ['duration>1s', false],
  ['duration<=150', true],
  ['websocket.message.size>=2KiB', true],
  ['websocket.message.size<2kb', false],
  ['user.id>5', false],
  // All of several, and what must not be there.
  ['ada roomfull', true],
  ['ada bob', false],
  ['-bob', true],
  ['-ada', false],
  ['-user.id=bob', true],
  ['ada -"is full"', false],
  ['', true],
])('%s finds the span: %s', (typed, found) => {
  const { terms, problems } = parseSearch(typed)
  expect(problems).toEqual([])
  expect(terms.every((term) => spanHas(failed, term) !== term.negated)).toBe(found)
})

test.each([
  ['user.id=', '“user.id=” has no value: “user.id=*” finds what has the key'],
  ['duration>slow', '“duration>slow” does not compare with a number, such as 10, 1.5s or 2MiB'],
  ['"open', 'the quote before “open” is not closed'],
  ['=5', '“=5” has no key in front of it: it is looked for as text'],
  ['-', '“-” needs a word behind it'],
  [Array.from({ length: 20 }, (_, index) => `word${index}`).join(' '), 'only the first 16 terms are used'],
])('%s is said not to be understood', (typed, problem) => {
  expect(parseSearch(typed).problems).toEqual([problem])
})

test('nothing that is typed makes the search throw', () => {
  for (const typed of ['(', '[a', '\\', 'a=(', '"', '""', '!=', '>=<', '-"', 'a="b', '*', '?', 'a==b', 'x!y', "'"]) {
    const { terms } = parseSearch(typed)
    expect(() => terms.map((term) => spanHas(failed, term))).not.toThrow()
  }
})

test('a log record is found by what it says and what it belongs to', () => {
  const log: LogRecord = {
    number: 1,
    time: 1,
    severity: 17,
    severityText: 'ERROR',
    level: 'error',
    body: 'pool exhausted',
    eventName: '',
    attributes: [['user.id', 'ada']],
    traceId: failed.traceId,
    spanId: '',
    resource: failed.resource,
    scope: 'pino',
    dropped: 0,
  }
  const has = (typed: string) => parseSearch(typed).terms.every((term) => logHas(log, term) !== term.negated)
  expect(['exhausted', 'level=error', 'severity>=17', '4bf92f35', 'user.id=ada', 'service=chat'].map(has)).toEqual(
    Array.from({ length: 6 }, () => true),
  )
  expect(['info', 'level=warn', '-exhausted', 'span=*'].map(has)).toEqual([false, false, false, false])
})

test('a trace is found by the words of several of its spans and of its log records, and again when it grows', () => {
  const store = storeWith()
  store.addSpans([failed], 0)
  const trace = store.traces.get(failed.traceId)!
  const make = (text: string) =>
    new TraceTest({ text, service: '', route: '', connection: '', errors: false, minDuration: 0 }, (traceId) =>
      store.logs.ofTrace(traceId),
    )
  const later = make('roomfull insert')
  expect(later.passes(trace)).toBe(false)
  store.addSpans([span({ traceId: failed.traceId, name: 'INSERT rooms' })], 0)
  expect(later.passes(trace)).toBe(true)
  const logged = make('exhausted')
  expect(logged.passes(trace)).toBe(false)
  const { number, ...log } = {
    number: 0,
    time: 1,
    severity: 9,
    severityText: '',
    level: 'info' as const,
    body: 'pool exhausted',
    eventName: '',
    attributes: [],
    traceId: failed.traceId,
    spanId: '',
    resource: failed.resource,
    scope: '',
    dropped: 0,
  }
  store.addLogs([log], 0)
  expect(logged.passes(trace)).toBe(true)
})
