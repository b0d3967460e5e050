import { type Demo, type DemoSettings, type RunningDemo, runDemo } from './demo.ts'
import { listenOn } from './listen-on.ts'
import { startRoomUsers } from './room-users.ts'

/** A chat with rooms that listens. */
export interface RoomServer {
  readonly url: string
  close(): Promise<void>
}

/**
 * Runs a demo whose users chat in rooms, with the arguments of its command line; returns the exit code.
 *
 * @param startServer starts the chat on a port
 */
export function runRoomDemo(
  demo: Pick<Demo, 'name' | 'description'>,
  startServer: (port: number) => Promise<RoomServer>,
  argv: readonly string[],
): Promise<number> {
  async function start({ port, users: count }: DemoSettings): Promise<RunningDemo> {
    // The rejection of an async handler that fails is unhandled: neither Hono nor crossws awaits it.
    process.on('unhandledRejection', () => {})
    const server = await listenOn(port, 3_000, startServer)
    const users = startRoomUsers(server.url, count)
    return { url: server.url, stopUsers: () => users.stop(), close: () => server.close() }
  }
  return runDemo({ ...demo, start }, argv)
}
