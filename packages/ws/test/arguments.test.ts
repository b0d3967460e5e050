import { OptionError } from '@otel-ws/core'
import { traceWebSocketServer } from '@otel-ws/ws'
import { expect, it } from 'vitest'
import { WebSocketServer } from 'ws'

it.each([undefined, null, {}, 'ws'])('refuses %j, which is no server', (wss) => {
  expect(() => traceWebSocketServer(wss as never)).toThrow(
    new TypeError('otel-ws: what is traced must be a WebSocketServer of ws'),
  )
})

it.each([
  [null, 'object must be an object: pass { … } or nothing'],
  [5, 'object must be an object: pass { … } or nothing'],
  [{ server: {} }, 'server must be an http server'],
  [{ sever: {} }, 'sever does not exist: the options are enabled, '],
])('refuses the options %j', (options, problem) => {
  const wss = new WebSocketServer({ noServer: true })
  expect(() => traceWebSocketServer(wss, options as never)).toThrow(OptionError)
  expect(() => traceWebSocketServer(wss, options as never)).toThrow(`otel-ws: option ${problem}`)
})
