/** Code that is added to a block when it is run: it uses the block's server and prints the names of the spans as JSON. */
export interface Driver {
  readonly code: string
  readonly env?: Readonly<Record<string, string>>
  /** Reads the names of the spans from what was printed. */
  readonly names: (output: string) => string[]
  readonly expected: readonly string[]
}

const fromJson = (output: string): string[] =>
  (JSON.parse(output.slice(output.lastIndexOf('\n[') + 1)) as string[]).sort()

/** The SDK's console exporter prints one property per line. */
const fromConsole = (output: string): string[] =>
  [...output.matchAll(/^ {2}name: '(.*)',$/gm)].map((match) => match[1] ?? '').sort()

/** For blocks that start an SDK of their own. */
const CONSOLE = { OTEL_TRACES_EXPORTER: 'console', OTEL_METRICS_EXPORTER: 'none', OTEL_LOGS_EXPORTER: 'none' }

const INSTALL = `
import { connect, Telemetry } from '@otel-ws/testkit'
const telemetry = new Telemetry()
telemetry.install()
`

/** Joins a namespace by hand, once the server of the block listens. */
const CONNECT_SOCKET_IO = `
await new Promise((resolve) => setImmediate(resolve))
const { port } = (io as unknown as { httpServer: { address(): { port: number } } }).httpServer.address()
const client = await connect('ws://127.0.0.1:' + port + '/socket.io/?EIO=4&transport=websocket')
await client.next()
client.send('40')
await client.next()
`

const PRINT = `
process.stdout.write('\\n' + JSON.stringify(telemetry.names()))
`

/** Drivers of the blocks that are run, by id. */
export const DRIVERS: Readonly<Record<string, Driver>> = {
  'README.md 1': {
    code: `
import { connect } from '@otel-ws/testkit'
const client = await connect('ws://127.0.0.1:' + fastify.addresses()[0]?.port + '/chat/lobby')
client.send('{"type":"say"}')
await client.next()
await client.close(1000)
process.emit('SIGTERM', 'SIGTERM')
`,
    env: CONSOLE,
    names: fromConsole,
    expected: ['GET /chat/:room', 'close /chat/:room', 'open /chat/:room', 'process say', 'send say'],
  },
  'docs/writing-an-adapter.md 1': {
    code: `
import { connect, Telemetry } from '@otel-ws/testkit'
const sdk = new Telemetry()
sdk.install()
if (wss.address() === null) await new Promise((resolve) => wss.once('listening', resolve))
const client = await connect('ws://127.0.0.1:' + (wss.address() as { port: number }).port + '/echo')
client.send('hello')
await client.next()
await client.close(1000)
await sdk.waitForSpan('close /echo')
wss.close()
process.stdout.write('\\n' + JSON.stringify(sdk.names()))
`,
    names: fromJson,
    expected: ['GET /echo', 'close /echo', 'process /echo', 'send /echo'],
  },
  'packages/ws/README.md 1': {
    code: `
import { connect } from '@otel-ws/testkit'
if (wss.address() === null) await new Promise((resolve) => wss.once('listening', resolve))
const client = await connect('ws://127.0.0.1:' + (wss.address() as { port: number }).port + '/chat')
client.send('{"type":"say"}')
await client.next()
await client.close(1000)
while (wss.clients.size > 0) await new Promise((resolve) => setImmediate(resolve))
process.emit('SIGTERM', 'SIGTERM')
`,
    env: CONSOLE,
    names: fromConsole,
    expected: ['GET /chat', 'close /chat', 'open /chat', 'process say', 'send say'],
  },
  'packages/ws/README.md 2': {
    code: `${INSTALL}
import { createServer } from 'node:http'
const http = createServer()
http.on('upgrade', (request, socket, head) => {
  wss.handleUpgrade(request, socket, head, (webSocket) => wss.emit('connection', webSocket, request))
})
await new Promise<void>((resolve) => http.listen(0, resolve))
const client = await connect('ws://127.0.0.1:' + (http.address() as { port: number }).port)
client.send('go')
const received: string[] = []
while (received.at(-1) !== 'done') received.push(await client.next())
if (received.join() !== 'one ,two ,three,done') throw new Error(received.join())
await client.close(1000)
const close = await telemetry.waitForSpan('close')
if (close.attributes['user.id'] !== 'u-42') throw new Error('user.id is not on the close span')
if (telemetry.span('process').attributes['websocket.stream.items'] !== 3) throw new Error('not three items')
http.close()
${PRINT}`,
    names: fromJson,
    expected: ['GET', 'broadcast done', 'close', 'disconnect', 'open', 'process', 'send', 'send', 'send'],
  },
  'packages/fastify/README.md 1': {
    code: `${INSTALL}
await fastify.listen()
const client = await connect('ws://127.0.0.1:' + fastify.addresses()[0]?.port + '/chat/lobby')
client.send('{"type":"say"}')
await client.next()
await client.close(1000)
await telemetry.waitForSpan('close /chat/:room')
await fastify.close()
if (telemetry.span('process say').attributes['user.id'] !== 'u-42') throw new Error('user.id is not on the process span')
${PRINT}`,
    names: fromJson,
    expected: ['GET /chat/:room', 'close /chat/:room', 'open /chat/:room', 'process say', 'send say'],
  },
  'packages/crossws/README.md 1': {
    code: `
import { connect } from '@otel-ws/testkit'
await server.ready()
const client = await connect(server.url!.replace('http', 'ws') + 'chat/lobby')
client.send('{"type":"say"}')
await client.next()
await client.close(1000)
process.emit('SIGTERM', 'SIGTERM')
`,
    env: CONSOLE,
    names: fromConsole,
    expected: ['GET /chat/:room', 'close /chat/:room', 'process say', 'send say'],
  },
  'packages/crossws/README.md 2': {
    code: `${INSTALL}
await new Promise<void>((resolve) => server.listen(0, resolve))
const url = 'ws://127.0.0.1:' + (server.address() as { port: number }).port
await connect(url).then(() => Promise.reject(new Error('accepted')), () => {})
const client = await connect(url + '/?token=secret')
client.send('hello')
if ((await client.next()) !== 'hello') throw new Error('another answer')
await client.close(1000)
const close = await telemetry.waitForSpan('close /chat')
if (close.attributes['user.id'] !== 'u-42') throw new Error('user.id is not on the close span')
server.close()
${PRINT}`,
    names: fromJson,
    expected: ['GET /chat', 'GET /chat', 'close /chat', 'open /chat', 'process /chat', 'send /chat'],
  },
  'packages/hono/README.md 1': {
    code: `
import { connect } from '@otel-ws/testkit'
if (!server.listening) await new Promise((resolve) => server.once('listening', resolve))
const client = await connect('ws://127.0.0.1:' + (server.address() as { port: number }).port + '/chat/lobby')
client.send('{"type":"say"}')
await client.next()
await client.close(1000)
process.emit('SIGTERM', 'SIGTERM')
`,
    env: CONSOLE,
    names: fromConsole,
    expected: ['GET /chat/:room', 'close /chat/:room', 'open /chat/:room', 'process say', 'send say'],
  },
  'packages/socket.io/README.md 1': {
    code: `
import { connect } from '@otel-ws/testkit'
${CONNECT_SOCKET_IO}
client.send('420["hello","you"]')
if ((await client.next()) !== '430["hello you"]') throw new Error('another acknowledgement')
client.send('41')
while (io.sockets.sockets.size > 0) await new Promise((resolve) => setImmediate(resolve))
process.emit('SIGTERM', 'SIGTERM')
client.socket.terminate()
`,
    env: CONSOLE,
    names: fromConsole,
    expected: ['CONNECT /', 'GET /socket.io', 'close /', 'open /', 'process hello'],
  },
  'packages/socket.io/README.md 2': {
    code: `${INSTALL}
${CONNECT_SOCKET_IO}
client.send('41')
const close = await telemetry.waitForSpan('close /')
if (close.attributes['user.id'] !== 'u-42') throw new Error('user.id is not on the close span')
client.socket.terminate()
await io.close()
${PRINT}`,
    names: fromJson,
    expected: ['CONNECT /', 'close /', 'open /'],
  },
  'packages/nestjs/README.md 1': {
    code: `${INSTALL}
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
const app = await NestFactory.create(AppModule, { logger: false })
app.useWebSocketAdapter(new WsAdapter(app))
await app.listen(0)
const client = await connect('ws://127.0.0.1:' + app.getHttpServer().address().port + '/chat')
client.send('{"event":"say","data":"hello"}')
if ((await client.next()) !== '{"event":"said","data":"hello"}') throw new Error('another answer')
await client.close(1000)
await app.close()
if (telemetry.span('process say').attributes['code.function.name'] !== 'ChatGateway.onSay') throw new Error('not named')
${PRINT}`,
    names: fromJson,
    expected: ['GET /chat', 'close /chat', 'process say', 'send said'],
  },
  'packages/nestjs/README.md 3': {
    code: `${INSTALL}
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { WsAdapter } from '@nestjs/platform-ws'
class AppModule {}
Module({ providers: [NewsGateway] })(AppModule)
const app = await NestFactory.create(AppModule, { logger: false })
app.useWebSocketAdapter(new WsAdapter(app))
await app.listen(0)
const client = await connect('ws://127.0.0.1:' + app.getHttpServer().address().port)
client.send('{"event":"news"}')
if ((await client.next()) !== '{"event":"news","data":0}') throw new Error('other news')
await client.close(1000)
const span = await telemetry.waitForSpan('process news')
if (span.attributes['websocket.stream.outcome'] !== 'cancelled') throw new Error('not cancelled')
await app.close()
${PRINT}`,
    names: fromJson,
    expected: ['process news'],
  },
}
