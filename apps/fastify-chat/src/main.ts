import { type DemoSettings, listenOn, type RunningDemo, runDemo } from '@otel-ws/demo-kit'
import { createChatServer } from './server.ts'
import { startUsers } from './users.ts'

/** Runs the Fastify chat demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runDemo(
    { name: 'fastify-chat', description: 'chat rooms on Fastify and @fastify/websocket, traced and measured', start },
    argv,
  )
}

async function start({ port, users: count, log, endpoints }: DemoSettings): Promise<RunningDemo> {
  const server = await createChatServer({ level: 'warn', stream: log }, { endpoint: endpoints[0] })
  await server.ready()
  const url = await listenOn(port, 3_000, (on) => server.listen({ host: '127.0.0.1', port: on }))
  const users = startUsers(url, count)
  return { url, stopUsers: () => users.stop(), close: () => server.close() }
}
