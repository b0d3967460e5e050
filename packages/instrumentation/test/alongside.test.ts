import { describe, expect, it } from 'vitest'
import { ask, askByEvent, askGateway, askRelay, conversation, runApplication } from './child/application.ts'
import { installVariant, useProject } from './child/project.ts'

const REGISTER = '@otel-ws/instrumentation/register'
const AUTO = '@opentelemetry/auto-instrumentations-node/register'

const project = useProject()

describe.concurrent('the flag alongside others', () => {
  for (const [first, second] of [
    [AUTO, REGISTER],
    [REGISTER, AUTO],
  ] as const) {
    it(`leaves the SDK to auto-instrumentations-node: ${first} first`, async () => {
      const { receiver, stderr } = await runApplication({
        folder: project.folder,
        args: ['--require', first, '--require', second, 'ws.cjs'],
        talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
        // Its handler keeps the process alive.
        stop: 'SIGKILL',
      })
      expect(stderr).toBe('')
      expect(receiver.tree()).toEqual(conversation('/chat'))
    })
  }

  it('records nothing twice once the other instrumentation of Socket.IO is disabled', async () => {
    const { receiver, stderr } = await runApplication({
      folder: project.folder,
      args: ['--require', AUTO, '--require', REGISTER, 'socket.io.cjs'],
      env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'socket.io' },
      talk: (port) => askByEvent(`http://127.0.0.1:${port}/chat`),
      stop: 'SIGKILL',
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual([
      'CONNECT /chat INTERNAL < GET /socket.io',
      'GET /socket.io SERVER',
      'close /chat INTERNAL ~ CONNECT /chat',
      'open /chat INTERNAL < CONNECT /chat',
      'process question SERVER ~ CONNECT /chat',
      'work INTERNAL < process question',
    ])
  })

  it('keeps its own spans where the other instrumentation of Socket.IO is enabled', async () => {
    const { receiver, stderr } = await runApplication({
      folder: project.folder,
      args: ['--require', AUTO, '--require', REGISTER, 'socket.io.cjs'],
      talk: (port) => askByEvent(`http://127.0.0.1:${port}/chat`),
      stop: 'SIGKILL',
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual([
      'CONNECT /chat INTERNAL < GET /socket.io',
      'GET /socket.io SERVER',
      'close /chat INTERNAL ~ CONNECT /chat',
      'open /chat INTERNAL < CONNECT /chat',
      'process question SERVER ~ CONNECT /chat',
      'receive /chat CONSUMER < process question',
      'work INTERNAL < receive /chat',
    ])
  })

  it('ends the request span of @fastify/otel, the parent of the handshake span', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--require', './fastify-otel.cjs', '--require', REGISTER, 'fastify.cjs'],
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat/lobby`),
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([
      'GET /chat/:room INTERNAL < request',
      'close /chat/:room INTERNAL ~ GET /chat/:room',
      'handler - rooms INTERNAL < request',
      'onRequest - rooms INTERNAL < request',
      'open /chat/:room INTERNAL < GET /chat/:room',
      'process question INTERNAL ~ GET /chat/:room',
      'request SERVER',
      'send answer INTERNAL < process question',
      'work INTERNAL < process question',
    ])
  })

  it('uses the SDK of the application, also when that registers it late', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'own-sdk.mjs'],
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
    })
    expect(end).toEqual({ code: 0, signal: null, stderr: '' })
    expect(receiver.tree()).toEqual(conversation('/chat').slice(0, -1))
    expect(new Set(receiver.spans.map(({ service }) => service))).toEqual(new Set(['by the application']))
  })

  it('records once what the application traces with adapters, with their options', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'by-hand.mjs'],
      async talk(ports) {
        const [fastify, io, ws] = ports.split(' ')
        await ask(`ws://127.0.0.1:${fastify}/chat/lobby`)
        await askByEvent(`http://127.0.0.1:${io}`)
        await ask(`ws://127.0.0.1:${ws}/chat`)
      },
      until: 'close by hand',
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([
      'CONNECT / INTERNAL < GET /socket.io',
      'GET /chat/:room SERVER',
      'GET /socket.io SERVER',
      'GET by hand SERVER',
      'close / INTERNAL ~ CONNECT /',
      'close /chat/:room INTERNAL ~ GET /chat/:room',
      'close by hand INTERNAL ~ GET by hand',
      'open / INTERNAL < CONNECT /',
      'open /chat/:room INTERNAL < GET /chat/:room',
      'open by hand INTERNAL < GET by hand',
      'process by hand INTERNAL ~ GET /chat/:room',
      'process question INTERNAL ~ GET by hand',
      'process question SERVER ~ CONNECT /',
      'send answer INTERNAL < process question',
      'send by hand INTERNAL < process by hand',
    ])
  })
})

/** Arguments of `node` for an application with its own global `WebSocket`. */
const GLOBAL_WEB_SOCKET = Number(process.versions.node.split('.')[0]) < 22 ? ['--experimental-websocket'] : []

/** The spans of a relay's connection with one message, which is named by its route. */
const RELAYED = [
  'GET /relay SERVER',
  'close /relay INTERNAL ~ GET /relay',
  'open /relay INTERNAL < GET /relay',
  'process /relay INTERNAL ~ GET /relay',
  'send /relay INTERNAL < process /relay',
]

/** The spans of the server that the relay connects to, by the parent of the handshake. */
const asked = (parent: string): string[] => [
  `GET /chat SERVER${parent}`,
  'close /chat INTERNAL ~ GET /chat',
  'disconnect /chat INTERNAL ~ GET /chat',
  'open /chat INTERNAL < GET /chat',
  'process /chat INTERNAL ~ GET /chat',
  'send /chat INTERNAL < process /chat',
]

/** The spans of the traced client that the relay uses. */
const ASKING = [
  'close asking INTERNAL ~ connect asking ~ process /relay',
  'connect asking CLIENT < process /relay',
  'process asking INTERNAL ~ connect asking',
  'send asking INTERNAL < process /relay ~ connect asking',
  'take answer INTERNAL < process asking',
]

describe.concurrent('the flag alongside one instrumentation of HTTP', () => {
  const beside = (instrumentations: string) => ({
    folder: project.folder,
    env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: instrumentations, OTEL_WS_MESSAGE_NAME: '' },
    stop: 'SIGKILL' as const,
  })
  const relay = ['--require', AUTO, '--require', REGISTER, 'relay.cjs']

  it('records upgrades, which instrumentation-http does not, and no other requests', async () => {
    const { receiver, stderr } = await runApplication({
      ...beside('http'),
      args: ['--require', AUTO, '--require', REGISTER, 'ws.cjs'],
      env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http' },
      async talk(port) {
        await (await fetch(`http://127.0.0.1:${port}/page`)).text()
        await expect(ask(`ws://127.0.0.1:${port}/elsewhere`)).rejects.toThrow('400')
        await ask(`ws://127.0.0.1:${port}/chat`)
      },
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual(['GET SERVER', 'GET SERVER', ...conversation('/chat')].sort())
    const scopes = receiver.spans.filter(({ name }) => name === 'GET').map(({ scope }) => scope)
    expect(scopes).toEqual(['@opentelemetry/instrumentation-http', '@otel-ws/ws'])
  })

  it('is a child of the span that instrumentation-http starts for a client of ws, whose handlers stay in that span', async () => {
    const { receiver, stderr } = await runApplication({
      ...beside('http'),
      args: relay,
      talk: (port) => askRelay(port, 'ws'),
      until: 'close /relay',
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual(
      [...RELAYED, 'GET CLIENT < process /relay', ...asked(' < GET'), 'take answer INTERNAL < GET'].sort(),
    )
  })

  it('runs the handlers of a traced client of ws in the spans of their messages', async () => {
    const { receiver, stderr } = await runApplication({
      ...beside('http'),
      args: relay,
      talk: (port) => askRelay(port, 'traced ws'),
      until: 'close /relay',
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual([...RELAYED, 'GET CLIENT < process /relay', ...asked(' < GET'), ...ASKING].sort())
  })

  it('is a child of the span that instrumentation-undici starts for fetch', async () => {
    const { receiver, stderr } = await runApplication({
      ...beside('http,undici'),
      args: relay,
      talk: (port) => askRelay(port, 'fetch'),
      until: 'close /relay',
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual([...RELAYED, 'GET CLIENT < process /relay', 'GET SERVER < GET'].sort())
  })

  it("cannot end the span that instrumentation-undici starts for Node's own WebSocket", async () => {
    const { receiver, stderr } = await runApplication({
      ...beside('undici'),
      args: [...GLOBAL_WEB_SOCKET, ...relay],
      talk: (port) => askRelay(port, 'global'),
      until: 'close /relay',
    })
    expect(stderr).toBe('')
    expect(receiver.tree()).toEqual(
      [...RELAYED, ...asked(' < a span that was not exported'), 'take answer INTERNAL < process /relay'].sort(),
    )
  })

  it.each([
    { what: "Node's own WebSocket", way: 'global', more: [...asked(''), 'take answer INTERNAL < process /relay'] },
    { what: 'a client of ws', way: 'ws', more: [...asked(''), 'take answer INTERNAL < process /relay'] },
    {
      what: 'a traced client of ws',
      way: 'traced ws',
      more: [...asked(' < connect asking'), ...ASKING],
    },
  ])('has nothing of others once they ignore upgrades: $what', async ({ way, more }) => {
    const { receiver, ...end } = await runApplication({
      ...beside(''),
      args: [...GLOBAL_WEB_SOCKET, '--require', './ignore-upgrades.cjs', '--require', REGISTER, 'relay.cjs'],
      talk: (port) => askRelay(port, way),
      until: 'close /relay',
      stop: 'SIGTERM',
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([...RELAYED, ...more].sort())
  })
})

describe.concurrent('the flag alongside the instrumentation of Nest', () => {
  const nest11 = useProject(() => installVariant(project, 'packages/nestjs/test/nest-11'))

  for (const { version, folder, others } of [
    { version: 11, folder: () => nest11.folder, others: ['Create Nest App INTERNAL'] },
    // Not a version that it supports.
    { version: 12, folder: () => project.folder, others: [] },
  ]) {
    it(`has its own spans of gateways: Nest ${version}`, async () => {
      const { receiver, stderr } = await runApplication({
        folder: folder(),
        args: ['--require', AUTO, '--require', REGISTER, 'nest.cjs'],
        env: { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'nestjs-core', OTEL_WS_MESSAGE_NAME: '' },
        talk: (port) => askGateway(`ws://127.0.0.1:${port}/chat`),
        stop: 'SIGKILL',
      })
      expect(stderr).toBe('')
      const own = conversation('/chat').filter((line) => !line.startsWith('open'))
      expect(receiver.tree()).toEqual([...others, ...own].sort())
    })
  }
})

describe.concurrent('the flag', () => {
  it('starts and logs nothing when the SDK is disabled', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'ws.mjs'],
      env: { OTEL_SDK_DISABLED: 'true' },
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
      until: '',
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([])
  })

  for (const list of ['http, otel-ws', '@otel-ws/instrumentation']) {
    it(`traces nothing and starts no SDK with OTEL_NODE_DISABLED_INSTRUMENTATIONS=${list}`, async () => {
      const { receiver, ...end } = await runApplication({
        folder: project.folder,
        args: ['--import', REGISTER, 'ws.mjs'],
        env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: list, OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'otel-ws' },
        talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
        until: '',
      })
      expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
      expect(receiver.tree()).toEqual([])
      expect(receiver.metrics).toEqual(new Set())
    })
  }

  for (const env of [
    { OTEL_NODE_ENABLED_INSTRUMENTATIONS: 'http' },
    { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'ws,socket.io' },
  ]) {
    it(`traces with ${JSON.stringify(env)}`, async () => {
      const { receiver, stderr } = await runApplication({
        folder: project.folder,
        args: ['--import', REGISTER, 'ws.mjs'],
        env,
        talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
      })
      expect(stderr).toBe('')
      expect(receiver.tree()).toEqual(conversation('/chat'))
    })
  }

  it('leaves the other instrumentations to auto-instrumentations-node when a list disables it', async () => {
    const { receiver, stderr } = await runApplication({
      folder: project.folder,
      args: ['--require', AUTO, '--require', REGISTER, 'socket.io.cjs'],
      env: { OTEL_NODE_DISABLED_INSTRUMENTATIONS: 'otel-ws' },
      talk: (port) => askByEvent(`http://127.0.0.1:${port}/chat`),
      until: 'receive',
      stop: 'SIGKILL',
    })
    expect(stderr).toBe('')
    const lines = receiver.tree()
    expect(lines).toContain('receive /chat CONSUMER')
    expect(lines.filter((line) => /^(CONNECT|GET|open|process) /.test(line))).toEqual([])
  })

  it('is required: the package itself traces nothing when it is imported', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--require', '@otel-ws/instrumentation', '--import', '@otel-ws/instrumentation', 'ws.cjs'],
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
      until: '',
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([])
  })

  it('lets the application run and warns about a wrong variable', async () => {
    const { receiver, stderr, signal } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'ws.mjs'],
      env: { OTEL_WS_TRACES: 'some' },
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
      until: '',
    })
    expect(signal).toBe('SIGTERM')
    expect(stderr).toContain(
      "nothing is traced: otel-ws: option traces (from OTEL_WS_TRACES) must be one of 'linked', 'connection'",
    )
    expect(receiver.tree()).toEqual([])
  })

  it('warns about an unknown variable, and traces', async () => {
    const { receiver, stderr } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'ws.mjs'],
      env: { OTEL_WS_TRACE: 'connection', OTEL_WS_SDK: '' },
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
    })
    expect(stderr).toContain(
      '[OTEL_WS_REGISTER] Warning: otel-ws: variable OTEL_WS_TRACE sets nothing: did you mean OTEL_WS_TRACES',
    )
    expect(receiver.tree()).toEqual(conversation('/chat'))
  })

  it('warns once about a version of a host that is not supported', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'unsupported.cjs'],
      env: { OTEL_LOG_LEVEL: 'warn' },
      talk: (port) => ask(`ws://127.0.0.1:${port}`),
      until: '',
    })
    expect(end).toEqual({
      code: null,
      signal: 'SIGTERM',
      stderr: '@otel-ws/instrumentation/ws ws 6.2.7 is not traced: supported are 7.x and 8.x\n',
    })
    expect(receiver.tree()).toEqual([])
  })
})
