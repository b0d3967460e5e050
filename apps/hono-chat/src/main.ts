import { type DemoSettings, type RunningDemo, runDemo, startRoomUsers } from '@otel-ws/demo-kit'
import { startChatServer } from './server.ts'

/** Runs the Hono demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runDemo(
    { name: 'hono-chat', description: 'chat rooms on Hono and @hono/node-ws, seen from both ends', start },
    argv,
  )
}

async function start({ port, users: count }: DemoSettings): Promise<RunningDemo> {
  // An async handler that fails is an unhandled rejection: Hono does not await it.
  process.on('unhandledRejection', () => {})
  const server = await startChatServer(port ?? 3_000).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || port !== undefined) throw error
    return startChatServer(0)
  })
  const users = startRoomUsers(server.url, count)
  return { url: server.url, stopUsers: () => users.stop(), close: () => server.close() }
}
