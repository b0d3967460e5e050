import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { connectionOf, traceHeaders, traceUrl, traceWebSocket } from '@otel-ws/client'
import { Telemetry } from '@otel-ws/testkit'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { WebSocket as WsClient } from 'ws'
import { event, kinds } from './clients.ts'
import { type Report, reportOf } from './correlation/report.ts'
import { sendByStandard, sendByWs } from './correlation/sends.ts'

interface Client {
  readonly name: string
  connect(url: string): WebSocket
  send(socket: WebSocket): Promise<void>
}

const bySend = (socket: WebSocket) => sendByWs(socket as unknown as WsClient)

const clients: readonly Client[] = [
  {
    name: 'ws that asks in a header',
    connect: (url) => new WsClient(url, { headers: traceHeaders(url) }) as unknown as WebSocket,
    send: bySend,
  },
  {
    name: 'ws that asks in the query',
    connect: (url) => new WsClient(traceUrl(url)) as unknown as WebSocket,
    send: bySend,
  },
  ...kinds
    .filter(({ name }) => name !== 'ws')
    .map(({ name, connect }) => ({
      name,
      connect: (url: string) => connect(traceUrl(url)),
      send: sendByStandard,
    })),
]

describe.each(['plain', 'compressed'])('over a %s connection to a server in another process', (mode) => {
  let telemetry: Telemetry
  let server: ChildProcess

  beforeEach(() => {
    telemetry = new Telemetry()
    telemetry.install()
    server = fork(fileURLToPath(new URL('correlation/server.ts', import.meta.url)), [mode], {
      execArgv: ['--import', 'tsx'],
    })
  })

  afterEach(async () => {
    if (server.exitCode === null && server.signalCode === null) {
      server.kill()
      await once(server, 'exit')
    }
    await telemetry.uninstall()
  })

  it.each(clients)('$name and the server tell the same connection, places and sizes', async ({ connect, send }) => {
    const [port] = (await once(server, 'message')) as [number]
    const reported = once(server, 'message') as Promise<[Report]>
    const socket = traceWebSocket(connect(`ws://127.0.0.1:${port}/`), { route: '/chat' })
    socket.binaryType = 'arraybuffer'
    const received: unknown[] = []
    socket.addEventListener('message', ({ data }) => received.push(data))
    const closed = event(socket, 'close')
    await event(socket, 'open')
    await send(socket)
    socket.send('end')
    await closed
    const [there] = await reported
    await telemetry.waitUntil(() => telemetry.openSpans().length === 0, 'the end of every span')
    const here = reportOf(telemetry)

    expect(here.ids).toEqual([connectionOf(socket)?.id])
    expect(there.ids).toEqual(here.ids)
    expect(there.received).toEqual(here.sent)
    expect(here.received).toEqual(there.sent)
    const [sent, sentBytes, taken, takenBytes] = here.totals
    expect(there.totals).toEqual([taken, takenBytes, sent, sentBytes])
    for (const messages of [here.sent, here.received]) {
      expect(messages.length).toBeGreaterThan(25)
      expect(messages.map(([sequence]) => sequence)).toEqual(messages.map((_, index) => index + 1))
    }
    expect(received).toHaveLength(here.received.length)
    expect(received.some((data) => typeof data === 'string' && data.includes('_otel'))).toBe(false)
  })
})
