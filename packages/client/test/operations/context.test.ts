import { once } from 'node:events'
import { trace } from '@opentelemetry/api'
import { afterEach, expect, it } from 'vitest'
import type { WebSocket } from 'ws'
import { traceHeaders } from '../../src/index.ts'
import { Operations, tracedClient } from './fixture.ts'

const operations = new Operations()
let socket: WebSocket | undefined

afterEach(() => socket?.close())

const initialize = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {} },
}

/** A server that answers every request, and keeps what it gets. */
async function serve(options = {}): Promise<string[]> {
  const wss = await operations.serve(options, { handleProtocols: () => 'mcp' })
  const received: string[] = []
  wss.on('connection', (ws) =>
    ws.on('message', (data) => {
      received.push(String(data))
      const { id } = JSON.parse(String(data)) as { id?: unknown }
      if (id !== undefined) ws.send(JSON.stringify({ jsonrpc: '2.0', id, result: {} }))
    }),
  )
  return received
}

async function ask(Client: ReturnType<typeof tracedClient>, headers = {}): Promise<string> {
  socket = new Client(operations.url, ['mcp'], { headers })
  await once(socket, 'open')
  const caller = trace.getTracer('app').startActiveSpan('caller', (span) => {
    socket?.send(JSON.stringify(initialize))
    span.end()
    return span.spanContext().traceId
  })
  await once(socket, 'message')
  return caller
}

function expectOneTrace(caller: string): void {
  const [send, process] = [
    operations.telemetry.span('send initialize'),
    operations.telemetry.span('process initialize'),
  ]
  expect(send.spanContext().traceId).toBe(caller)
  expect(process.parentSpanContext?.spanId).toBe(send.spanContext().spanId)
}

it('has both ends of a call in the trace of its caller where they have agreed, and the application sees nothing', async () => {
  const received = await serve()
  const caller = await ask(tracedClient(), traceHeaders(operations.url))
  await operations.telemetry.waitForSpan('process initialize')
  expectOneTrace(caller)
  expect(received).toEqual([JSON.stringify(initialize)])
})

it('writes the context into the place of the protocol where the user declares it, of requests alone', async () => {
  const received = await serve()
  const caller = await ask(tracedClient({ propagation: 'always' }))
  socket?.send('{"jsonrpc":"2.0","method":"notifications/initialized"}')
  const span = await operations.telemetry.waitForSpan('send initialize')
  await operations.telemetry.waitForSpan('process notifications/initialized')
  expectOneTrace(caller)
  const { traceId, spanId } = span.spanContext()
  const { protocolVersion, capabilities } = initialize.params
  const _meta = { traceparent: `00-${traceId}-${spanId}-01` }
  expect(received).toEqual([
    JSON.stringify({ ...initialize, params: { _meta, protocolVersion, capabilities } }),
    '{"jsonrpc":"2.0","method":"notifications/initialized"}',
  ])
})

it('reads such a context where the first messages say the protocol', async () => {
  const wss = await operations.serve()
  wss.on('connection', (ws) => ws.on('message', () => ws.send('{"jsonrpc":"2.0","id":1,"result":{}}')))
  const Client = tracedClient({ propagation: 'always' })
  socket = new Client(operations.url)
  await once(socket, 'open')
  socket.send(JSON.stringify(initialize))
  await once(socket, 'message')
  const [send, process] = [
    await operations.telemetry.waitForSpan('send initialize'),
    await operations.telemetry.waitForSpan('process initialize'),
  ]
  expect(process.attributes['websocket.protocol']).toBe('mcp')
  expect(process.parentSpanContext?.spanId).toBe(send.spanContext().spanId)
})

it('reads such a context under option remoteContext', async () => {
  await serve({ remoteContext: 'ignore' })
  await ask(tracedClient({ propagation: 'always' }))
  const span = await operations.telemetry.waitForSpan('process initialize')
  expect(span.parentSpanContext).toBe(undefined)
})

it('takes no caller of a batch for that of all', async () => {
  const wss = await operations.serve({ protocol: 'json-rpc' })
  wss.on('connection', (ws) =>
    ws.on('message', (data) => {
      const batch = JSON.parse(String(data)) as { id: unknown }[]
      ws.send(JSON.stringify(batch.map(({ id }) => ({ jsonrpc: '2.0', id, result: 1 }))))
    }),
  )
  const Client = tracedClient({ protocol: 'json-rpc' })
  socket = new Client(operations.url)
  await once(socket, 'open')
  trace.getTracer('app').startActiveSpan('stranger', (span) => {
    const batch = ['a', 'b'].map((method, id) => ({ jsonrpc: '2.0', id, method }))
    socket?.send(JSON.stringify(batch))
    span.end()
  })
  await once(socket, 'message')
  for (const name of ['send a', 'send b']) {
    expect((await operations.telemetry.waitForSpan(name)).parentSpanContext).toBe(undefined)
  }
})

it('links a request that is sent again, after its connection was lost, to the one before', async () => {
  const wss = await operations.serve({ protocol: 'json-rpc' })
  let connections = 0
  wss.on('connection', (ws) => {
    const isFirst = ++connections === 1
    ws.on('message', (data) => {
      const { id } = JSON.parse(String(data)) as { id: unknown }
      if (isFirst) ws.terminate()
      else ws.send(JSON.stringify({ jsonrpc: '2.0', id, result: 1 }))
    })
  })
  const Client = tracedClient({ protocol: 'json-rpc' })
  const call = '{"jsonrpc":"2.0","id":1,"method":"get"}'
  for (const end of ['close', 'message']) {
    socket = new Client(operations.url)
    await once(socket, 'open')
    socket.send(call)
    await once(socket, end)
  }
  await operations.telemetry.waitForSpan('send get', 2)
  const spans = operations.telemetry.spans().filter(({ name }) => name.startsWith('send '))
  expect(spans.map(({ attributes }) => attributes['websocket.operation.outcome'])).toEqual(['disconnected', 'ok'])
  const links = spans[1]?.links.filter(({ attributes }) => attributes?.['websocket.link.kind'] === 'operation')
  expect(links?.map(({ context }) => context.spanId)).toEqual([spans[0]?.spanContext().spanId])
})
