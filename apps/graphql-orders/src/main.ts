import { type DemoSettings, listenOn, type RunningDemo, runDemo } from '@otel-ws/demo-kit'
import { createServer } from './server.ts'
import { startUsers } from './users.ts'

/** Runs the GraphQL demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runDemo(
    {
      name: 'graphql-orders',
      description: 'queries and subscriptions of graphql-ws on Fastify, seen from both ends',
      start,
    },
    argv,
  )
}

async function start({ port, users: count, log }: DemoSettings): Promise<RunningDemo> {
  const server = await createServer({ level: 'warn', stream: log })
  await server.ready()
  const url = await listenOn(port, 3_000, (on) => server.listen({ host: '127.0.0.1', port: on }))
  const users = startUsers(url, count)
  return { url, stopUsers: () => users.stop(), close: () => server.close() }
}
