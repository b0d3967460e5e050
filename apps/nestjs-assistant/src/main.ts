import { type DemoSettings, listenOn, type RunningDemo, runDemo } from '@otel-ws/demo-kit'
import { JsonLogger } from './platforms/json-logger.ts'
import { type Platform, startAssistant } from './platforms/server.ts'
import { startUsers } from './users/users.ts'

/** Runs the NestJS assistant demo with the arguments of its command line; returns the exit code. */
export function main(argv: readonly string[]): Promise<number> {
  return runDemo({ name: 'nestjs-assistant', description: 'a voice assistant on NestJS gateways', start }, argv)
}

async function start({ port, users: count, log }: DemoSettings): Promise<RunningDemo> {
  const logger = new JsonLogger(log)
  const startOn = (platform: Platform) => (on: number) => startAssistant(platform, on, logger)
  const plain = await listenOn(port, 3_000, startOn('ws'))
  const socketIo = await listenOn(port && port + 1, 3_001, startOn('socket.io'))
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
