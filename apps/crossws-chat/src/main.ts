import { runRoomDemo } from '@otel-ws/demo-kit'
import { startChatServer } from './server.ts'

/** Runs the crossws demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runRoomDemo(
    { name: 'crossws-chat', description: 'chat rooms on h3 and crossws, seen from both ends' },
    startChatServer,
    argv,
  )
}
