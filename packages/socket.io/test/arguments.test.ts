import { traceEmitter, traceSocketServer } from '@otel-ws/socket.io'
import { expect, it } from 'vitest'

it.each([undefined, null, {}, 'io'])('refuses %j, which is neither a server nor an emitter', (host) => {
  expect(() => traceSocketServer(host as never)).toThrow(
    new TypeError('otel-ws: traceSocketServer() expects a Server of socket.io'),
  )
  expect(() => traceEmitter(host as never)).toThrow(
    new TypeError('otel-ws: traceEmitter() expects an Emitter of Socket.IO'),
  )
})
