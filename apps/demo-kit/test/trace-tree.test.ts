import { ROOT_CONTEXT, SpanKind, SpanStatusCode } from '@opentelemetry/api'
import pc from 'picocolors'
import { describe, expect, it } from 'vitest'
import { clock } from '../src/text.ts'
import { formatTrace, traceHeading } from '../src/trace-tree.ts'
import { below, EndedSpans, handshakeLink, remoteParent, START, tracerFor } from './fixture.ts'

const plain = pc.createColors(false)

function fixture() {
  const ended = new EndedSpans()
  return { tracer: tracerFor(ended), lines: (width = 140) => formatTrace(ended.spans, plain, width) }
}

describe('a printed trace', () => {
  it('has one aligned line for each span, children below their parents in order of time', () => {
    const { tracer, lines } = fixture()
    const root = tracer.startSpan('process say', {
      kind: SpanKind.CONSUMER,
      startTime: START,
      attributes: { 'user.id': 'ada', 'websocket.message.sequence': 3, 'websocket.message.size': 44 },
    })
    const second = tracer.startSpan('broadcast said', { kind: SpanKind.PRODUCER, startTime: START + 5 }, below(root))
    const first = tracer.startSpan('read history', { startTime: START + 1 }, below(root))
    const inner = tracer.startSpan('query', { kind: SpanKind.CLIENT, startTime: START + 2 }, below(first))
    second.setAttributes({ 'websocket.broadcast.recipients': 1, 'websocket.broadcast.skipped': 1 }).end(START + 6)
    inner.end(START + 3)
    first.end(START + 4)
    root.end(START + 12)

    const at = (offset: number) => clock(START + offset)
    expect([traceHeading(plain), ...lines()]).toEqual([
      'time          trace   kind      name                      duration  details',
      `${at(0)}  000001  CONSUMER  process say                12.0 ms  ada, #3, 44 B`,
      `${at(1)}          INTERNAL  ├─ read history            3.00 ms`,
      `${at(2)}          CLIENT    │  └─ query                1.00 ms`,
      `${at(5)}          PRODUCER  └─ broadcast said          1.00 ms  1 recipient, 1 skipped`,
    ])
  })

  it('tells links, errors and closes', () => {
    const { tracer, lines } = fixture()
    const handshake = tracer.startSpan('GET /chat/:room', {
      kind: SpanKind.SERVER,
      startTime: START,
      attributes: {
        'websocket.handshake.outcome': 'rejected',
        'http.response.status_code': 401,
        'url.path': '/chat/a',
      },
    })
    handshake.end(START + 1)
    const failing = tracer.startSpan(
      'process translate',
      { kind: SpanKind.CONSUMER, startTime: START + 2, links: [handshakeLink(handshake)] },
      ROOT_CONTEXT,
    )
    failing.recordException(Object.assign(new Error('no answer'), { name: 'Unavailable' }))
    failing
      .setStatus({ code: SpanStatusCode.ERROR })
      .setAttribute('error.type', 'Unavailable')
      .end(START + 22)
    tracer
      .startSpan('close /chat/:room', {
        startTime: START + 30,
        links: [handshakeLink(handshake)],
        attributes: {
          'websocket.close.code': 4400,
          'websocket.close.category': 'application',
          'websocket.close.initiator': 'local',
          'websocket.connection.duration': 4.2,
          'websocket.connection.messages.received': 12,
          'websocket.connection.messages.sent': 31,
        },
      })
      .setStatus({ code: SpanStatusCode.ERROR })
      .end(START + 30)

    expect(lines().map((line) => line.slice(22))).toEqual([
      'SERVER    GET /chat/:room            1.00 ms  401 rejected',
      'CONSUMER  process translate          20.0 ms  ERROR Unavailable: no answer  -> link handshake 000001',
      'INTERNAL  close /chat/:room          0.00 ms  ERROR  4400 application local, 4.20 s, 12 in,…  -> link handshake 000001',
    ])
  })

  it('is no wider than asked, and the link is never what is left out', () => {
    const { tracer, lines } = fixture()
    const other = tracer.startSpan('other')
    tracer
      .startSpan('process '.padEnd(60, 'x'), {
        links: [handshakeLink(other)],
        attributes: { 'user.id': 'y'.repeat(200) },
      })
      .setStatus({ code: SpanStatusCode.ERROR, message: 'z'.repeat(200) })
      .end()
    const [line] = lines(120)
    expect(line).toHaveLength(120)
    expect(line).toMatch(/ERROR z+… {2}-> link handshake 000001$/)
  })

  it('says where a root comes from that has a parent elsewhere', () => {
    const { tracer, lines } = fixture()
    tracer.startSpan('GET /chat/:room', { kind: SpanKind.SERVER }, remoteParent()).end()
    expect(lines()[0]).toMatch(/-> remote parent cccccc$/)
    const printed = tracer.startSpan('process say')
    tracer.startSpan('send said', {}, below(printed)).end()
    expect(lines()[1]).toMatch(/-> parent above$/)
  })

  it('shows control characters from outside instead of obeying them', () => {
    const { tracer, lines } = fixture()
    tracer.startSpan('process \u001b[31m\nx', { attributes: { 'user.id': '\u0007' } }).end()
    const [line, ...more] = lines()
    expect(more).toEqual([])
    expect(line).toContain('process \\u{1b}[31m\\u{a}x')
    expect(line).toMatch(/ {2}\\u\{7\}$/)
  })
})
