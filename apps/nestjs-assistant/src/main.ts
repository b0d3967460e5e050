import { type DemoSettings, type RunningDemo, runDemo } from '@otel-ws/demo-kit'
import { JsonLogger } from './platforms/json-logger.ts'
import { type AssistantServer, type Platform, startAssistant } from './platforms/server.ts'
import { startUsers } from './users/users.ts'

/** Runs the NestJS assistant demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runDemo({ name: 'nestjs-assistant', description: 'a voice assistant on NestJS gateways', start }, argv)
}

async function start({ port, users: count, log }: DemoSettings): Promise<RunningDemo> {
  const logger = new JsonLogger(log)
  const plain = await listen('ws', port, 3_000, logger)
  const socketIo = await listen('socket.io', port && port + 1, 3_001, logger)
  const servers = [plain, socketIo]
  const users = startUsers(servers, count)
  return {
    url: servers.map((server) => server.url).join('  '),
    stopUsers: () => users.stop(),
    async close() {
      await Promise.all(servers.map((server) => server.close()))
    },
  }
}

/** Listens on the port that was asked for, else on the usual one, or any if that is taken. */
async function listen(
  platform: Platform,
  port: number | undefined,
  usual: number,
  logger: JsonLogger,
): Promise<AssistantServer> {
  return startAssistant(platform, port ?? usual, logger).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EADDRINUSE' || port !== undefined) throw error
    return startAssistant(platform, 0, logger)
  })
}
