import 'reflect-metadata'
import type { AddressInfo } from 'node:net'
import type { INestApplication, LoggerService } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { AssistantModule } from '../assistant.module.ts'
import { PATH } from '../messages.ts'
import { VoiceWsAdapter } from './voice-ws-adapter.ts'

/** The protocol of an assistant's sockets. */
export type Platform = 'ws' | 'socket.io'

/** A running assistant. */
export interface AssistantServer {
  readonly platform: Platform
  /** Where its sockets are. */
  readonly url: string
  /** Finishes what is in the queues and closes what is left. */
  close(): Promise<void>
}

/** Starts the assistant on one platform. OpenTelemetry is set up already when this is called. */
export async function startAssistant(
  platform: Platform,
  port: number,
  logger: LoggerService | false = false,
): Promise<AssistantServer> {
  const app = await NestFactory.create(AssistantModule, { logger, abortOnError: false })
  app.useWebSocketAdapter(platform === 'ws' ? new VoiceWsAdapter(app) : new IoAdapter(app))
  try {
    await app.listen(port, '127.0.0.1')
  } catch (error) {
    await app.close()
    throw error
  }
  return { platform, url: urlOf(app, platform), close: () => app.close() }
}

function urlOf(app: INestApplication, platform: Platform): string {
  const { port } = app.getHttpServer().address() as AddressInfo
  return `${platform === 'ws' ? 'ws' : 'http'}://127.0.0.1:${port}${PATH}`
}
