import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { ask, askByEvent, conversation, runApplication } from './child/application.ts'
import { installProject, type Project } from './child/project.ts'

const REGISTER = '@otel-ws/instrumentation/register'
const AUTO = '@opentelemetry/auto-instrumentations-node/register'

/** For building our packages on a loaded machine, in ms. */
const PATIENCE = 120_000

let project: Project

beforeAll(async () => {
  project = await installProject()
}, PATIENCE)

afterAll(() => project.remove())

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

  it('has nothing doubled once the other instrumentation of Socket.IO is off', async () => {
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

  it('keeps its own spans where the other instrumentation of Socket.IO is on', async () => {
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

  it('ends the request span of @fastify/otel, under which the handshake stands', async () => {
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
      'onRequest - otelWsRequest INTERNAL < request',
      'onRequest - rooms INTERNAL < request',
      'open /chat/:room INTERNAL < GET /chat/:room',
      'process question CONSUMER ~ GET /chat/:room',
      'request SERVER',
      'send answer PRODUCER < process question',
      'work INTERNAL < process question',
    ])
  })

  it('leaves the SDK to the application, also when that registers one late', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'own-sdk.mjs'],
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
    })
    expect(end).toEqual({ code: 0, signal: null, stderr: '' })
    expect(receiver.tree()).toEqual(conversation('/chat').slice(0, -1))
    expect(new Set(receiver.spans.map(({ service }) => service))).toEqual(new Set(['by the application']))
  })

  it('counts once what adapters trace by hand, with the options given there', async () => {
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
      'process by hand CONSUMER ~ GET /chat/:room',
      'process question CONSUMER ~ GET by hand',
      'process question SERVER ~ CONNECT /',
      'send answer PRODUCER < process question',
      'send by hand PRODUCER < process by hand',
    ])
  })
})

describe.concurrent('the flag', () => {
  it('starts nothing and says nothing when the SDK is disabled', async () => {
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

  it('is what traces: the package itself does nothing when it is imported', async () => {
    const { receiver, ...end } = await runApplication({
      folder: project.folder,
      args: ['--require', '@otel-ws/instrumentation', '--import', '@otel-ws/instrumentation', 'ws.cjs'],
      talk: (port) => ask(`ws://127.0.0.1:${port}/chat`),
      until: '',
    })
    expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
    expect(receiver.tree()).toEqual([])
  })

  it('lets the application run and says what is wrong with a variable', async () => {
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

  it('leaves versions of a host alone that are not supported, with one line', async () => {
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
      stderr: '@otel-ws/instrumentation/ws ws 6.2.7 is left alone: supported are 7.x and 8.x\n',
    })
    expect(receiver.tree()).toEqual([])
  })
})
