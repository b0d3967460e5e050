import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { createNodeWebSocket } from '@hono/node-ws'
import { createTelemetry } from '@otel-ws/core/adapter'
import { traceWebSocket } from '@otel-ws/hono'
import { driver, SCOPE, traceNodeWs } from '@otel-ws/hono/adapter'
import { connect, Telemetry } from '@otel-ws/testkit'
import { Hono } from 'hono'
import type { UpgradeWebSocket } from 'hono/ws'
import { afterEach, beforeEach, expect, it } from 'vitest'

type Module = Parameters<typeof traceNodeWs>[0]

let telemetry: Telemetry
let server: Server | undefined

beforeEach(() => {
  telemetry = new Telemetry()
  telemetry.install()
})
afterEach(async () => {
  server?.closeAllConnections()
  await new Promise((resolve) => server?.close(resolve))
  await telemetry.uninstall()
})

/** Serves an echo with a helper, connects, and has it answer one message. */
async function visit(app: Hono, helper: { upgradeWebSocket: UpgradeWebSocket }, inject: (server: Server) => void) {
  app.get(
    '/chat/:room',
    helper.upgradeWebSocket(() => ({ onMessage: async ({ data }, socket) => socket.send(data as string) })),
  )
  server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' }) as Server
  inject(server)
  if (!server.listening) await once(server, 'listening')
  const client = await connect(`ws://127.0.0.1:${(server.address() as AddressInfo).port}/chat/lobby`)
  client.send('{"type":"say"}')
  await client.next()
  return client
}

const names = ['GET /chat/:room', 'close /chat/:room']
const create = () => createTelemetry({}, SCOPE, driver)

it('traces helpers that are created later, and stops when it is undone', async () => {
  const module = { createNodeWebSocket } as unknown as Module
  const undo = traceNodeWs(module, create)
  const app = new Hono()
  const helper = module.createNodeWebSocket({ app }) as unknown as ReturnType<typeof createNodeWebSocket>
  const client = await visit(app, helper as never, helper.injectWebSocket)
  await client.close(1000)
  await telemetry.waitForSpan('close /chat/:room')
  expect(telemetry.names()).toEqual([...names, 'process /chat/:room', 'send /chat/:room'])

  undo()
  telemetry.forget()
  expect(module.createNodeWebSocket).toBe(createNodeWebSocket)
  const untraced = await connect(client.socket.url)
  untraced.send('x')
  await untraced.next()
  await untraced.close(1000)
  expect(telemetry.counts().started).toBe(4)
})

it('leaves a helper to the application that traces it itself', async () => {
  const module = { createNodeWebSocket } as unknown as Module
  const undo = traceNodeWs(module, create)
  const app = new Hono()
  const helper = module.createNodeWebSocket({ app }) as unknown as ReturnType<typeof createNodeWebSocket>
  const traced = traceWebSocket(app, helper, { messageName: '$.type' })
  const client = await visit(app, traced as never, helper.injectWebSocket)
  await client.close(1000)
  await telemetry.waitForSpan('close /chat/:room')
  expect(telemetry.names()).toEqual([...names, 'process say', 'send say'])
  expect(telemetry.diagnostics).toEqual([])
  undo()
})
