import { runRoomDemo } from '@otel-ws/demo-kit'
import { startChatServer } from './server.ts'

/** Runs the Hono demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runRoomDemo(
    { name: 'hono-chat', description: 'chat rooms on Hono and @hono/node-ws, seen from both ends' },
    startChatServer,
    argv,
  )
}
