import { Client } from '@modelcontextprotocol/sdk/client/index.js'
import { WebSocketClientTransport } from '@modelcontextprotocol/sdk/client/websocket.js'
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js'
import type { JSONRPCMessage } from '@modelcontextprotocol/sdk/types.js'
import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { expect, it, vi } from 'vitest'
import { Operations, tracedClient, type WebSocket } from './fixture.ts'

const operations = new Operations()

/** A transport over a socket of `ws`: the SDK has none for servers. */
function transportOver(socket: WebSocket) {
  return {
    onmessage: undefined as ((message: JSONRPCMessage) => void) | undefined,
    onclose: undefined as (() => void) | undefined,
    async start() {
      socket.on('message', (data) => this.onmessage?.(JSON.parse(String(data)) as JSONRPCMessage))
      socket.on('close', () => this.onclose?.())
    },
    async send(message: JSONRPCMessage) {
      socket.send(JSON.stringify(message))
    },
    async close() {
      socket.close()
    },
  }
}

it('records the requests of the MCP SDK with the tools that they call', async () => {
  vi.stubGlobal('WebSocket', tracedClient())
  const wss = await operations.serve({}, { handleProtocols: () => 'mcp' })
  wss.on('connection', (socket) => {
    const server = new McpServer({ name: 'test', version: '1.0.0' })
    server.registerTool('weather', { description: 'weather' }, async () => ({
      content: [{ type: 'text', text: 'private' }],
    }))
    server.registerTool('broken', { description: 'broken' }, async () => {
      throw new Error('secret')
    })
    void server.connect(transportOver(socket) as never)
  })
  const client = new Client({ name: 'test', version: '1.0.0' })
  await client.connect(new WebSocketClientTransport(new URL(operations.url)))
  await client.callTool({ name: 'weather' })
  await client.callTool({ name: 'broken' })
  await client.ping()
  await client.close()
  await operations.telemetry.waitForSpan('process tools/call broken')
  const ok = { status: SpanStatusCode.UNSET, outcome: 'ok', type: 'call', error: undefined }
  for (const name of ['initialize', 'tools/call weather']) {
    expect(operations.facts(`process ${name}`)).toEqual({ ...ok, kind: SpanKind.SERVER, name })
    expect(operations.facts(`send ${name}`)).toEqual({ ...ok, kind: SpanKind.CLIENT, name })
  }
  expect(operations.facts('process tools/call broken')).toMatchObject({
    status: SpanStatusCode.ERROR,
    outcome: 'error',
    error: 'tool_error',
  })
  expect(operations.telemetry.span('process notifications/initialized').kind).toBe(SpanKind.INTERNAL)
  expect(operations.telemetry.span('process initialize').attributes['websocket.protocol']).toBe('mcp')
  expect(operations.names().some((name) => name.includes('ping'))).toBe(false)
  expect(operations.recorded()).not.toMatch(/secret|private/)
  vi.unstubAllGlobals()
})
