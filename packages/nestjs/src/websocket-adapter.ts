import type { WebSocketAdapter } from '@nestjs/common'
import type { Telemetry } from '@otel-ws/core/adapter'
import { copySignature, wrapMethod } from '@otel-ws/core/node'
import { type MessageHandler, type Transform, traceDispatch } from './dispatch.ts'
import type { GatewayClass } from './gateway.ts'
import { clientConnection, markDispatchTraced } from './gateway-client.ts'

/** What the wrapped methods of a WebSocket adapter call. */
export interface AdapterHooks {
  /** Called before the adapter creates a server. */
  onCreate(): void
  /** Called with a server that the adapter created, or a namespace of one. */
  onServer(server: unknown, port: number): void
  /** Returns the gateway whose `afterInit` ran last in the current synchronous run, once. */
  takeGateway(): GatewayClass | undefined
  /** For clients of servers that are not traced. */
  readonly telemetry: Telemetry
}

type Method = (this: unknown, ...args: unknown[]) => unknown

const TRACED = Symbol.for('otel-ws.nestjs.adapter')
const NO_HANDLERS: ReadonlyMap<string, string> = new Map()

/** Wraps the methods of a WebSocket adapter that belong to Nest's public interface, on the instance. */
export function traceAdapter(adapter: WebSocketAdapter, hooks: AdapterHooks): void {
  const host = adapter as unknown as AdapterMethods & { [TRACED]?: true }
  if (Object.hasOwn(host, TRACED)) return
  Object.defineProperty(host, TRACED, { value: true })
  new AdapterTracer(hooks).wrap(host)
}

interface AdapterMethods {
  readonly create?: Method
  readonly bindClientConnect?: Method
  readonly bindMessageHandlers?: Method
}

class AdapterTracer {
  readonly #hooks: AdapterHooks
  /** Set while Nest's connection callback runs, which binds the message handlers in the same synchronous run. */
  #gatewayOfCurrentRun: GatewayClass | undefined

  constructor(hooks: AdapterHooks) {
    this.#hooks = hooks
  }

  wrap(host: AdapterMethods): void {
    const tracer = this
    const { create, bindClientConnect, bindMessageHandlers } = host
    if (create !== undefined) {
      wrapMethod(host, 'create', function (this: unknown, ...args: unknown[]): unknown {
        tracer.#hooks.onCreate()
        const server = create.apply(this, args)
        tracer.#hooks.onServer(server, Number(args[0]))
        return server
      })
    }
    if (bindClientConnect !== undefined) {
      wrapMethod(host, 'bindClientConnect', function (this: unknown, ...args: unknown[]): unknown {
        return bindClientConnect.apply(this, tracer.#wrapConnect(args))
      })
    }
    if (bindMessageHandlers !== undefined) {
      wrapMethod(host, 'bindMessageHandlers', function (this: unknown, ...args: unknown[]): unknown {
        return bindMessageHandlers.apply(this, tracer.#wrapHandlers(args))
      })
    }
  }

  /** Returns the arguments of `bindClientConnect` with a callback that stores the gateway while it runs. */
  #wrapConnect(args: unknown[]): unknown[] {
    const [server, callback, ...rest] = args
    const gateway = this.#hooks.takeGateway()
    if (gateway === undefined || typeof callback !== 'function') return args
    const tracer = this
    const original = callback as Method
    function connected(this: unknown, ...client: unknown[]): unknown {
      const outer = tracer.#gatewayOfCurrentRun
      tracer.#gatewayOfCurrentRun = gateway
      try {
        return original.apply(this, client)
      } finally {
        tracer.#gatewayOfCurrentRun = outer
      }
    }
    return [server, copySignature(connected, original), ...rest]
  }

  /** Returns the arguments of `bindMessageHandlers` with traced handlers. */
  #wrapHandlers(args: unknown[]): unknown[] {
    const [client, handlers, transform, ...rest] = args
    if (typeof client !== 'object' || client === null) return args
    if (!Array.isArray(handlers) || typeof transform !== 'function') return args
    const connection = clientConnection(client, undefined, this.#hooks.telemetry)
    markDispatchTraced(connection)
    const traced = traceDispatch(
      connection,
      this.#gatewayOfCurrentRun?.handlers ?? NO_HANDLERS,
      handlers as MessageHandler[],
      transform as Transform,
    )
    return [client, traced.handlers, traced.transform, ...rest]
  }
}
