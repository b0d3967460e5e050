import { describe, expect, it } from 'vitest'
import { ask, askByEvent, askGateway, conversation, runApplication } from './child/application.ts'
import { installVariant, useProject } from './child/project.ts'

const REGISTER = '@otel-ws/instrumentation/register'

const [major] = process.versions.node.split('.')

// The next major version of OpenTelemetry does not run on Node 20.
describe.skipIf(Number(major) < 22).concurrent('under SDK 3 and instrumentation 0.301', () => {
  const own = useProject()
  const project = useProject(() => installVariant(own, 'packages/instrumentation/test/sdk-next'))

  const cases = [
    {
      what: 'ws',
      args: ['--import', REGISTER, 'ws.mjs'],
      talk: (port: string) => ask(`ws://127.0.0.1:${port}/chat`),
      tree: conversation('/chat'),
    },
    {
      what: 'Fastify',
      args: ['--require', REGISTER, 'fastify.cjs'],
      talk: (port: string) => ask(`ws://127.0.0.1:${port}/chat/lobby`),
      tree: conversation('/chat/:room'),
    },
    {
      what: 'Socket.IO',
      args: ['--import', REGISTER, 'socket.io.mjs'],
      talk: (port: string) => askByEvent(`http://127.0.0.1:${port}/chat`),
      tree: [
        'CONNECT /chat INTERNAL < GET /socket.io',
        'GET /socket.io SERVER',
        'close /chat INTERNAL ~ CONNECT /chat',
        'open /chat INTERNAL < CONNECT /chat',
        'process question SERVER ~ CONNECT /chat',
        'work INTERNAL < process question',
      ],
    },
    {
      what: 'Nest',
      args: ['--import', REGISTER, 'nest.mjs'],
      env: { OTEL_WS_MESSAGE_NAME: '' },
      talk: (port: string) => askGateway(`ws://127.0.0.1:${port}/chat`),
      tree: conversation('/chat').filter((line) => !line.startsWith('open')),
    },
  ]
  for (const { what, tree, ...run } of cases) {
    it(`traces ${what} by the flag`, async () => {
      const { receiver, ...end } = await runApplication({ folder: project.folder, ...run })
      expect(end).toEqual({ code: null, signal: 'SIGTERM', stderr: '' })
      expect(receiver.tree()).toEqual(tree)
      expect(receiver.metrics).toContain('websocket.server.connection.duration')
    })
  }
})
