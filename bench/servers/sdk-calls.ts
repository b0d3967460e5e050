import { randomBytes } from 'node:crypto'
import {
  type Attributes,
  context,
  type Histogram,
  type Link,
  metrics,
  ROOT_CONTEXT,
  SpanKind,
  type Tracer,
  trace,
} from '@opentelemetry/api'
import type { RawData, WebSocketServer } from 'ws'

const BOUNDARIES = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

/** The handshake's span, and what is kept of a connection for the spans of its messages. */
function recordHandshake(tracer: Tracer): { readonly id: string; readonly links: Link[] } {
  const handshake = tracer.startSpan('GET /echo', { kind: SpanKind.SERVER })
  handshake.end()
  return {
    id: randomBytes(8).toString('hex'),
    links: [{ context: handshake.spanContext(), attributes: { 'websocket.link.kind': 'handshake' } }],
  }
}

/** The same attributes as the packages give a message's span. */
function attributesOf(id: string, data: RawData, isBinary: boolean, sequence: number): Attributes {
  return {
    'websocket.connection.id': id,
    'websocket.route': '/echo',
    'websocket.message.type': isBinary ? 'binary' : 'text',
    'websocket.message.size': (data as Buffer).length,
    'websocket.message.sequence': sequence,
  }
}

/** The one histogram that a message records. */
export function processDuration(): Histogram {
  return metrics.getMeter('sdk-calls').createHistogram('websocket.server.message.process.duration', {
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  })
}

/**
 * The limit: an echo server whose message handler makes the same two spans by direct SDK calls and nothing else.
 *
 * No active context, no error handling, no callback; what can be built once per connection is.
 */
export function echoWithSdkCalls(server: WebSocketServer, histogram?: Histogram): void {
  const tracer = trace.getTracer('sdk-calls')
  const metricAttributes = { 'websocket.route': '/echo' }

  server.on('connection', (socket) => {
    const { id, links } = recordHandshake(tracer)
    let received = 0
    let sent = 0

    socket.on('message', (data, isBinary) => {
      const start = histogram && performance.now()
      const processSpan = tracer.startSpan(
        'process /echo',
        {
          kind: SpanKind.INTERNAL,
          attributes: attributesOf(id, data, isBinary, ++received),
          links,
        },
        ROOT_CONTEXT,
      )
      const sendSpan = tracer.startSpan(
        'send /echo',
        {
          kind: SpanKind.INTERNAL,
          attributes: attributesOf(id, data, isBinary, ++sent),
        },
        trace.setSpan(ROOT_CONTEXT, processSpan),
      )
      socket.send(data, { binary: isBinary })
      sendSpan.end()
      processSpan.end()
      if (start !== undefined) histogram?.record((performance.now() - start) / 1000, metricAttributes)
    })
  })
}

/** As the limit, with the process span active while the message is sent: what a handler's own spans need to find it. */
export function echoWithSdkCallsInContext(server: WebSocketServer): void {
  const tracer = trace.getTracer('sdk-calls')

  server.on('connection', (socket) => {
    const { id, links } = recordHandshake(tracer)
    let received = 0
    let sent = 0

    socket.on('message', (data, isBinary) => {
      const options = { kind: SpanKind.INTERNAL, attributes: attributesOf(id, data, isBinary, ++received), links }
      const processSpan = tracer.startSpan('process /echo', options, ROOT_CONTEXT)
      context.with(trace.setSpan(ROOT_CONTEXT, processSpan), () => {
        const attributes = attributesOf(id, data, isBinary, ++sent)
        const sendSpan = tracer.startSpan('send /echo', { kind: SpanKind.INTERNAL, attributes })
        socket.send(data, { binary: isBinary })
        sendSpan.end()
      })
      processSpan.end()
    })
  })
}

/** The limit of a message that asks the SDK's sampler and is not sampled: one question, one context switch. */
export function echoUnsampledWithSdkCalls(server: WebSocketServer): void {
  const tracer = trace.getTracer('sdk-calls')

  server.on('connection', (socket) => {
    const { id, links } = recordHandshake(tracer)
    const attributes = { 'websocket.connection.id': id, 'websocket.route': '/echo' }
    const options = { kind: SpanKind.INTERNAL, attributes, links }

    socket.on('message', (data, isBinary) => {
      const span = tracer.startSpan('process /echo', options, ROOT_CONTEXT)
      context.with(trace.setSpan(ROOT_CONTEXT, span), () => socket.send(data, { binary: isBinary }))
      span.end()
    })
  })
}
