import 'reflect-metadata'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { type INestApplication, Module, type ModuleMetadata, type Type, type WebSocketAdapter } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'

/** The ways in which Nest serves gateways. */
export type Platform = 'platform-ws' | 'platform-socket.io'

export const platforms: readonly Platform[] = ['platform-ws', 'platform-socket.io']

/** The tests run twice, with each of the two majors. */
export const isNest11 = process.env['NEST'] === '11'

/** An application that is listening. */
export interface App {
  readonly nest: INestApplication
  readonly platform: Platform
  readonly http: Server
  readonly port: number
  /** Where clients connect that name no path or namespace: `ws://127.0.0.1:4711`. */
  readonly url: string
}

export interface AppOptions {
  readonly platform: Platform
  readonly gateways: Type[]
  /** Metadata of the root module, besides the gateways. */
  readonly metadata?: ModuleMetadata
  /** Replaces the adapter of the platform. */
  readonly adapter?: (nest: INestApplication) => WebSocketAdapter
  /** Called before the application is initialised. */
  readonly configure?: (nest: INestApplication) => void
}

/** Starts an application with gateways on a free port. */
export async function startApp({ platform, gateways, metadata = {}, adapter, configure }: AppOptions): Promise<App> {
  class Root {}
  Module({ ...metadata, providers: [...gateways, ...(metadata.providers ?? [])] })(Root)
  const nest = await NestFactory.create(Root, { logger: false, forceCloseConnections: true, abortOnError: false })
  const own = platform === 'platform-ws' ? new WsAdapter(nest) : new IoAdapter(nest)
  nest.useWebSocketAdapter(adapter?.(nest) ?? own)
  configure?.(nest)
  await nest.listen(0, '127.0.0.1')
  const http = nest.getHttpServer() as Server
  const { port } = http.address() as AddressInfo
  const scheme = platform === 'platform-ws' ? 'ws' : 'http'
  return { nest, platform, http, port, url: `${scheme}://127.0.0.1:${port}` }
}
