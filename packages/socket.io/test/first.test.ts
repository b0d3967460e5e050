import { createServer } from 'node:http'
import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { Server } from 'socket.io'
import { io as connect } from 'socket.io-client'
import { Telemetry } from '@otel-ws/testkit'
import { traceSocketServer, traceSocket } from '@otel-ws/socket.io'
import { it, expect } from 'vitest'

it.each(['websocket','polling','both'])('works %s', async (t) => {
  const telemetry = new Telemetry(); telemetry.install()
  const http = createServer(); const io = new Server(http)
  const traced = traceSocketServer(io)
  io.use(async (s, next) => { await null; next() })
  io.on('connection', (socket) => {
    socket.on('hello', async (x, ack) => { socket.emit('reply', x); io.emit('all', 1, Buffer.from('abc')); await new Promise(r=>setTimeout(r,20)); ack?.('done') })
    socket.on('ask', async () => { const r = await socket.timeout(500).emitWithAck('question'); socket.emit('got', r) })
  })
  http.listen(0); await once(http,'listening')
  const c = connect(`http://127.0.0.1:${(http.address() as AddressInfo).port}`, { transports: t==='both'?['polling','websocket']:[t] as any })
  c.on('question', (ack) => ack(42))
  if (t==='both') { await new Promise<void>(r => c.io.on('open', () => c.io.engine.on('upgrade', () => r()))) }
  console.log(await c.emitWithAck('hello', 'x'))
  c.emit('ask'); await new Promise(r => c.on('got', r))
  c.emit('unknown', 'x'.repeat(10))
  c.disconnect()
  await telemetry.waitForSpan('close /')
  for (const s of telemetry.spans()) console.log(s.name, s.kind, s.parentSpanContext?.spanId, s.spanContext().spanId, JSON.stringify(s.attributes), s.links.length, s.duration[1]/1e6)
  console.log(telemetry.openSpans(), telemetry.diagnostics)
  await io.close()
  await traced.shutdown()
  for (const r of await telemetry.collect()) console.log(r.name, JSON.stringify(r.attributes), r.value ?? r.count)
  await telemetry.uninstall()
})
