import type { HandlerSpan } from '@otel-ws/core/adapter'
import { hiddenProperty, tracedConnection } from '@otel-ws/core/adapter'
import { metadata } from './metadata.ts'

/** Keys of the metadata that Nest's decorators leave. */
const GATEWAY = 'websockets:is_gateway'
const MESSAGE_MAPPING = 'websockets:message_mapping'
const PATTERN = 'message'

type Method = (this: unknown, ...args: unknown[]) => unknown

/** A class of gateways: what it is called, and what its handlers are subscribed to. */
export interface GatewayClass {
  readonly name: string
  readonly prototype: object
  /** Pattern of each message handler, and the handler's name: `ChatGateway.onMessage`. */
  readonly handlers: ReadonlyMap<string, string>
  /** The methods themselves, by name. */
  readonly methods: ReadonlyMap<string, Method>
}

/** Describes a provider's class if it is one of gateways. */
export function gatewayClass(metatype: unknown): GatewayClass | undefined {
  if (typeof metatype !== 'function' || metadata(GATEWAY, metatype) !== true) return undefined
  const prototype = metatype.prototype as object
  const handlers = new Map<string, string>()
  const methods = new Map<string, Method>()
  for (let at: object | null = prototype; at !== null && at !== Object.prototype; at = Object.getPrototypeOf(at)) {
    for (const key of Object.getOwnPropertyNames(at)) {
      const method = Object.getOwnPropertyDescriptor(at, key)?.value as unknown
      if (typeof method !== 'function' || methods.has(key) || metadata(MESSAGE_MAPPING, method) !== true) continue
      methods.set(key, method as Method)
      const pattern = metadata(PATTERN, method)
      if (typeof pattern === 'string') handlers.set(pattern, `${metatype.name}.${key}`)
    }
  }
  return { name: metatype.name, prototype, handlers, methods }
}

/** The hooks of a gateway's own that Nest calls. */
interface Gateway {
  afterInit?: Method
  handleConnection?: Method
  handleDisconnect?: Method
}

/** Which of a gateway's instances Nest calls. */
export interface GatewayInstance {
  readonly class: GatewayClass
  /** The one that all clients share; of gateways that are made per client a stand-in. */
  readonly instance: object
  readonly isShared: boolean
}

/**
 * Puts spans around `handleConnection` and `handleDisconnect`, and tells when Nest has a gateway's server at hand. Ours
 * stand in front of the gateway's own methods; where each client has a gateway of its own, in front of the class's.
 */
export function traceGateway(gateway: GatewayInstance, onInit: (gateway: GatewayClass) => void): void {
  const { class: described, instance, isShared } = gateway
  const own = (instance as Gateway).afterInit
  function afterInit(this: unknown, ...args: unknown[]): unknown {
    onInit(described)
    return own?.apply(this, args)
  }
  Object.defineProperty(instance, 'afterInit', hiddenProperty(afterInit))
  const target = isShared ? instance : described.prototype
  wrap(target, 'handleConnection', instance, (client) => {
    return tracedConnection(client)?.startOpen(`${described.name}.handleConnection`)
  })
  wrap(target, 'handleDisconnect', instance, (client) => {
    return tracedConnection(client)?.startDisconnect(`${described.name}.handleDisconnect`)
  })
}

const wrapped = new WeakSet<Method>()

function wrap(
  target: object,
  name: keyof Gateway,
  instance: object,
  begin: (client: object) => HandlerSpan | undefined,
): void {
  const own = (target as Gateway)[name]
  if (typeof own !== 'function' || wrapped.has(own)) return
  const hook: Method = own

  function traced(this: unknown, ...args: unknown[]): unknown {
    const [client] = args
    const open = typeof client === 'object' && client !== null ? begin(client) : undefined
    return open === undefined ? hook.apply(this, args) : open.run(call, this, args, undefined)
  }
  function call(open: HandlerSpan, self: unknown, args: unknown[]): unknown {
    const result = hook.apply(self, args)
    // What a gateway of one client returns, Nest passes on; of a shared one it drops the promise.
    open.follow(result, self !== instance)
    return result
  }
  Object.defineProperty(traced, 'name', { value: hook.name, configurable: true })
  Object.defineProperty(traced, 'length', { value: hook.length, configurable: true })
  wrapped.add(traced)
  Object.defineProperty(target, name, hiddenProperty(traced))
}
