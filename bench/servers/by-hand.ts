import { randomBytes } from 'node:crypto'
import {
  context,
  createContextKey,
  ROOT_CONTEXT,
  type SpanContext,
  SpanKind,
  SpanStatusCode,
  trace,
} from '@opentelemetry/api'
import type { RawData, WebSocket, WebSocketServer } from 'ws'

interface Connection {
  id: string
  route: string
  handshake: SpanContext
  received: number
  sent: number
}

const CONNECTION = createContextKey('connection')

/** An echo server as a careful user traces it by hand: connection context, a span per receive, a span per send. */
export function echoTracedByHand(server: WebSocketServer): void {
  const tracer = trace.getTracer('echo')

  server.on('connection', (socket) => {
    const handshake = tracer.startSpan('GET /echo', { kind: SpanKind.SERVER })
    handshake.end()
    const connection: Connection = {
      id: randomBytes(8).toString('hex'),
      route: '/echo',
      handshake: handshake.spanContext(),
      received: 0,
      sent: 0,
    }
    const connectionContext = ROOT_CONTEXT.setValue(CONNECTION, connection)

    socket.on('message', (data, isBinary) => {
      const span = tracer.startSpan(
        `process ${connection.route}`,
        {
          kind: SpanKind.INTERNAL,
          attributes: {
            'websocket.connection.id': connection.id,
            'websocket.route': connection.route,
            'websocket.message.type': isBinary ? 'binary' : 'text',
            'websocket.message.size': (data as Buffer).length,
            'websocket.message.sequence': ++connection.received,
          },
          links: [{ context: connection.handshake, attributes: { 'websocket.link.kind': 'handshake' } }],
        },
        connectionContext,
      )
      context.with(trace.setSpan(connectionContext, span), () => {
        try {
          send(socket, data, isBinary)
        } catch (error) {
          span.recordException(error as Error)
          span.setStatus({ code: SpanStatusCode.ERROR })
          throw error
        } finally {
          span.end()
        }
      })
    })
  })

  function send(socket: WebSocket, data: RawData, binary: boolean): void {
    const connection = context.active().getValue(CONNECTION) as Connection
    const span = tracer.startSpan(`send ${connection.route}`, {
      kind: SpanKind.INTERNAL,
      attributes: {
        'websocket.connection.id': connection.id,
        'websocket.route': connection.route,
        'websocket.message.type': binary ? 'binary' : 'text',
        'websocket.message.size': (data as Buffer).length,
        'websocket.message.sequence': ++connection.sent,
      },
    })
    socket.send(data, { binary }, (error) => {
      if (error) span.setStatus({ code: SpanStatusCode.ERROR, message: error.message })
      span.end()
    })
  }
}
