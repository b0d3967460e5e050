import type { TelemetryOptions } from '@otel-ws/core'
import { Telemetry } from '@otel-ws/testkit'
import { traceWebSocketServer } from '@otel-ws/ws'
import { afterEach, beforeEach } from 'vitest'
import { type ServerOptions, type WebSocket, type WebSocketServer, WebSocket as WsClient } from 'ws'
import { type ClientOptions, traceWebSocket } from '../../src/index.ts'
import { close, listen } from '../clients.ts'

/** The first span of a name, as the tests compare it. */
export interface OperationFacts {
  readonly kind: number | undefined
  readonly status: number | undefined
  readonly name: unknown
  readonly type: unknown
  readonly outcome: unknown
  readonly error: unknown
}

/** Has an SDK there for each test, and a traced server that a test starts. */
export class Operations {
  telemetry!: Telemetry
  wss!: WebSocketServer
  url!: string

  constructor() {
    beforeEach(() => {
      this.telemetry = new Telemetry()
      this.telemetry.install()
    })
    afterEach(async () => {
      await close(this.wss)
      await this.telemetry.uninstall()
    })
  }

  async serve(options: TelemetryOptions = {}, server: ServerOptions = {}): Promise<WebSocketServer> {
    const { wss, url } = await listen(server)
    traceWebSocketServer(wss, { route: '/api', ...options })
    this.wss = wss
    this.url = url
    return wss
  }

  facts(name: string, n = 1): OperationFacts {
    const span = this.telemetry.spans(name)[n - 1]
    const attributes = span?.attributes ?? {}
    return {
      kind: span?.kind,
      status: span?.status.code,
      name: attributes['websocket.operation.name'],
      type: attributes['websocket.operation.type'],
      outcome: attributes['websocket.operation.outcome'],
      error: attributes['error.type'],
    }
  }

  /** Names of the spans that are not of the connection, each once, sorted. */
  names(): string[] {
    const ofConnection = /^(GET|open|disconnect|close|connect) ?/
    return [...new Set(this.telemetry.names().filter((name) => !ofConnection.test(name)))]
  }

  /** Everything that was recorded, as one text. */
  recorded(): string {
    return JSON.stringify(
      this.telemetry.spans().map(({ name, attributes, events, status }) => [name, attributes, events, status]),
    )
  }
}

/** A class of traced clients of `ws`, for libraries that create their sockets themselves. */
export function tracedClient(options: ClientOptions = {}): typeof WsClient {
  return class extends WsClient {
    constructor(...args: ConstructorParameters<typeof WsClient>) {
      super(...args)
      traceWebSocket(this as unknown as globalThis.WebSocket, { route: '/api', ...options })
    }
  } as typeof WsClient
}

export type { WebSocket }
