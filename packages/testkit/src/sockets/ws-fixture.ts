import type { IncomingMessage } from 'node:http'
import type { WebSocket } from 'ws'
import type { Connection } from '../shared/connection.ts'
import { kindOf } from '../shared/kind-of.ts'
import type { Fixture, Opened, OpenOptions } from './fixture.ts'
import type { Host, HostOptions, HostSocket, WsServers } from './harness.ts'

/** A fixture for what only hosts with the capability `ws` have: handlers are given the socket of `ws`. */
export interface WsFixture extends Omit<Fixture, 'serve' | 'open'> {
  serve(options: WsHostOptions): Promise<WsHost>
  open(options?: WsOpenOptions): Promise<WsOpened>
}

export interface WsHostOptions extends Omit<HostOptions, 'connection'> {
  readonly connection: (socket: WebSocket, request: IncomingMessage) => unknown
}

export interface WsHost extends Host {
  readonly ws: WsServers
}

interface WsOpenOptions extends Omit<OpenOptions, 'connection'> {
  readonly connection?: (socket: WebSocket, connection: Connection) => unknown
}

interface WsOpened extends Omit<Opened, 'socket' | 'host'> {
  readonly host: WsHost
  readonly socket: WebSocket
}

/** The options of a host whose handler is given the socket of `ws` and its request. */
export function wsHostOptions({ connection, ...options }: WsHostOptions): HostOptions {
  return {
    ...options,
    connection: kindOf(connection, (socket: HostSocket, request?: unknown) =>
      connection(socket.raw as WebSocket, request as IncomingMessage),
    ),
  }
}

/** The host with its servers of `ws`; throws where it has none, although its harness declares them. */
export function wsHost(host: Host): WsHost {
  if (host.ws === undefined) throw new Error('the harness declares capability ws, but its host has no servers of ws')
  return host as WsHost
}

/** The same fixture with the sockets and servers of `ws`. */
export function wsFixture(fixture: Fixture): WsFixture {
  return {
    ...fixture,
    get telemetry() {
      return fixture.telemetry
    },
    async serve(options) {
      return wsHost(await fixture.serve(wsHostOptions(options)))
    },
    async open({ connection = () => {}, ...options } = {}) {
      const opened = await fixture.open({
        ...options,
        connection: kindOf(connection, (socket: HostSocket, traced: Connection) =>
          connection(socket.raw as WebSocket, traced),
        ),
      })
      return { ...opened, host: wsHost(opened.host), socket: opened.socket.raw as WebSocket }
    },
  }
}
