import { type DemoSettings, type RunningDemo, runDemo, startRoomUsers } from '@otel-ws/demo-kit'
import { startChatServer } from './server.ts'

/** Runs the crossws demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runDemo(
    { name: 'crossws-chat', description: 'chat rooms on h3 and crossws, seen from both ends', start },
    argv,
  )
}

async function start({ port, users: count }: DemoSettings): Promise<RunningDemo> {
  // A hook that fails is an unhandled rejection, which servers of Nitro survive in the same way.
  process.on('unhandledRejection', () => {})
  const server = await startChatServer(port ?? 3_000).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || port !== undefined) throw error
    return startChatServer(0)
  })
  const users = startRoomUsers(server.url, count)
  return { url: server.url, stopUsers: () => users.stop(), close: () => server.close() }
}
