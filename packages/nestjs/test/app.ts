import 'reflect-metadata'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { INestApplication, ModuleMetadata, Type } from '@nestjs/common'
import { Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { IoAdapter } from '@nestjs/platform-socket.io'
import { WsAdapter } from '@nestjs/platform-ws'

/** The ways in which Nest serves gateways. */
export type Platform = 'platform-ws' | 'platform-socket.io'

/** An application that is listening. */
export interface App {
  readonly nest: INestApplication
  readonly http: Server
  readonly port: number
  /** Such as `127.0.0.1:4711`. */
  readonly address: string
}

/** Starts an application with these gateways on a port of the machine's choice. */
export async function startApp(
  platform: Platform,
  gateways: Type[],
  metadata: ModuleMetadata = {},
  configure: (nest: INestApplication) => void = () => {},
): Promise<App> {
  class Root {}
  Module({ ...metadata, providers: [...gateways, ...(metadata.providers ?? [])] })(Root)
  const nest = await NestFactory.create(Root, { logger: false, forceCloseConnections: true })
  nest.useWebSocketAdapter(platform === 'platform-ws' ? new WsAdapter(nest) : new IoAdapter(nest))
  configure(nest)
  await nest.listen(0, '127.0.0.1')
  const http = nest.getHttpServer() as Server
  const { port } = http.address() as AddressInfo
  return { nest, http, port, address: `127.0.0.1:${port}` }
}
