import type { WebSocketAdapter } from '@nestjs/common'
import { copySignature, type Telemetry, wrapMethod } from '@otel-ws/core/adapter'
import { type MessageHandler, type Transform, traceDispatch } from './dispatch.ts'
import type { GatewayClass } from './gateway.ts'
import { connectionFor, cover } from './gateway-client.ts'

/** What the tracing of an adapter needs of the module. */
export interface AdapterHooks {
  /** An adapter is about to make a server. */
  onCreate(): void
  /** A server, or a namespace of one, was made. */
  onServer(server: unknown, port: number): void
  /** The gateway whose server was told last, once. */
  takeGateway(): GatewayClass | undefined
  /** For clients of servers that are not traced. */
  readonly telemetry: Telemetry
}

type Method = (this: unknown, ...args: unknown[]) => unknown

const TRACED = Symbol.for('otel-ws.nestjs.adapter')

/** Puts our methods in front of a WebSocket adapter's own: those of Nest's public interface, on the instance. */
export function traceAdapter(adapter: WebSocketAdapter, seams: AdapterHooks): void {
  const host = adapter as unknown as Record<string | symbol, Method>
  if (Object.hasOwn(host, TRACED)) return
  Object.defineProperty(host, TRACED, { value: true })
  const { create, bindClientConnect, bindMessageHandlers } = host
  /** The gateway whose client is being bound to its handlers. */
  let current: GatewayClass | undefined

  if (create !== undefined) {
    wrapMethod(host, 'create', function (this: unknown, ...args: unknown[]): unknown {
      seams.onCreate()
      const server = create.apply(this, args)
      seams.onServer(server, Number(args[0]))
      return server
    })
  }

  if (bindClientConnect !== undefined) {
    wrapMethod(host, 'bindClientConnect', function (this: unknown, ...args: unknown[]): unknown {
      const [server, callback, ...rest] = args
      const gateway = seams.takeGateway()
      if (gateway === undefined || typeof callback !== 'function') return bindClientConnect.apply(this, args)
      const own = callback as Method
      function connected(this: unknown, ...client: unknown[]): unknown {
        const outer = current
        current = gateway
        try {
          return own.apply(this, client)
        } finally {
          current = outer
        }
      }
      return bindClientConnect.call(this, server, copySignature(connected, own), ...rest)
    })
  }

  if (bindMessageHandlers !== undefined) {
    wrapMethod(host, 'bindMessageHandlers', function (this: unknown, ...args: unknown[]): unknown {
      const [client, handlers, transform, ...rest] = args
      if (
        typeof client !== 'object' ||
        client === null ||
        !Array.isArray(handlers) ||
        typeof transform !== 'function'
      ) {
        return bindMessageHandlers.apply(this, args)
      }
      const connection = connectionFor(client, undefined, seams.telemetry)
      cover(connection)
      const traced = traceDispatch(
        connection,
        current?.handlers ?? NONE,
        handlers as MessageHandler[],
        transform as Transform,
      )
      return bindMessageHandlers.call(this, client, traced.handlers, traced.transform, ...rest)
    })
  }
}

const NONE: ReadonlyMap<string, string> = new Map()
