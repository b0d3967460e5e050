import { connect } from '@otel-ws/testkit'
import { describe, expect, it } from 'vitest'
import { ask, askByEvent, askGateway, conversation, runApplication } from './child/application.ts'
import { installVariant, useProject } from './child/project.ts'

const REGISTER = '@otel-ws/instrumentation/register'

const project = useProject()

describe.concurrent('an application started with the flag only', () => {
  const cases = [
    { what: 'ws in ES modules', args: ['--import', REGISTER, 'ws.mjs'], path: '/chat' },
    { what: 'ws in CommonJS', args: ['--require', REGISTER, 'ws.cjs'], path: '/chat' },
    { what: 'ws in CommonJS, by --import', args: ['--import', REGISTER, 'ws.cjs'], path: '/chat' },
    { what: 'ws in TypeScript by tsx', args: ['--import', 'tsx', '--import', REGISTER, 'ws.ts'], path: '/chat' },
    {
      what: 'ws in TypeScript by tsx, registered after',
      args: ['--import', REGISTER, '--import', 'tsx', 'ws.ts'],
      path: '/chat',
    },
    { what: 'Fastify in ES modules', args: ['--import', REGISTER, 'fastify.mjs'], path: '/chat/:room' },
    { what: 'Fastify in CommonJS', args: ['--require', REGISTER, 'fastify.cjs'], path: '/chat/:room' },
  ]
  for (const { what, args, path } of cases) {
    it(`is traced: ${what}`, async () => {
      const { receiver, ...end } = await runApplication({
        folder: project.folder,
        args,
        talk: (port) => ask(`ws://127.0.0.1:${port}${path.replace(':room', 'lobby')}`),
      })
      expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
      expect(receiver.tree()).toEqual(conversation(path))
      expect(receiver.metrics).toContain('websocket.server.message.process.duration')
    })
  }

  for (const { what, args } of [
    { what: 'Socket.IO in ES modules', args: ['--import', REGISTER, 'socket.io.mjs'] },
    { what: 'Socket.IO in CommonJS', args: ['--require', REGISTER, 'socket.io.cjs'] },
  ]) {
    it(`is traced: ${what}`, async () => {
      const { receiver, ...end } = await runApplication({
        folder: project.folder,
        args,
        talk: (port) => askByEvent(`http://127.0.0.1:${port}/chat`),
      })
      expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
      expect(receiver.tree()).toEqual([
        'CONNECT /chat INTERNAL < GET /socket.io',
        'GET /socket.io SERVER',
        'close /chat INTERNAL ~ CONNECT /chat',
        'open /chat INTERNAL < CONNECT /chat',
        'process question SERVER ~ CONNECT /chat',
        'work INTERNAL < process question',
      ])
    })
  }
})

describe.concurrent('an application of which a hundredth is sampled', () => {
  it('keeps each message that fails or is slow with OTEL_WS_KEEP, in the trace of the message', async () => {
    const { receiver, stderr } = await runApplication({
      folder: project.folder,
      args: ['--import', REGISTER, 'keep.cjs'],
      env: {
        OTEL_TRACES_SAMPLER: 'parentbased_traceidratio',
        OTEL_TRACES_SAMPLER_ARG: '0.01',
        OTEL_WS_KEEP: 'errors, slowerThan=50',
      },
      async talk(port) {
        const client = await connect(`ws://127.0.0.1:${port}/chat`)
        for (const type of ['fail', 'slow', 'fail', 'fail', 'slow']) {
          client.send(JSON.stringify({ type }))
          await client.next()
        }
        await client.close(1000)
      },
      until: 'process slow',
    })
    expect(stderr).toBe('')
    const names = receiver.spans.map(({ name }) => name).filter((name) => name.startsWith('process'))
    expect(names.sort()).toEqual(['process fail', 'process fail', 'process fail', 'process slow', 'process slow'])
  })
})

describe.concurrent('a Nest application started with the flag only', () => {
  const nest11 = useProject(() => installVariant(project, 'packages/nestjs/test/nest-11'))

  for (const { what, args, folder } of [
    { what: 'Nest 12 in ES modules', args: ['--import', REGISTER, 'nest.mjs'], folder: () => project.folder },
    { what: 'Nest 12 in CommonJS', args: ['--import', REGISTER, 'nest.cjs'], folder: () => project.folder },
    { what: 'Nest 12, by --require', args: ['--require', REGISTER, 'nest.mjs'], folder: () => project.folder },
    {
      what: 'Nest 11 in ES modules',
      args: ['--import', REGISTER, 'nest.mjs'],
      folder: () => nest11.folder,
    },
    {
      what: 'Nest 11 in CommonJS',
      args: ['--require', REGISTER, 'nest.cjs'],
      folder: () => nest11.folder,
    },
  ]) {
    it(`is traced: ${what}`, async () => {
      const { receiver, ...end } = await runApplication({
        folder: folder(),
        args,
        env: { OTEL_WS_MESSAGE_NAME: '' },
        talk: (port) => askGateway(`ws://127.0.0.1:${port}/chat`),
      })
      expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
      expect(receiver.tree()).toEqual(conversation('/chat').filter((line) => !line.startsWith('open')))
    })
  }
})
