import type { HandlerSpan } from '@otel-ws/core/adapter'
import { tracedConnection } from '@otel-ws/core/adapter'
import { hiddenProperty } from '@otel-ws/core/node'
import { metadata } from './metadata.ts'

/** Keys of the metadata of Nest's decorators. */
const GATEWAY = 'websockets:is_gateway'
const MESSAGE_MAPPING = 'websockets:message_mapping'
const PATTERN = 'message'

type Method = (this: unknown, ...args: unknown[]) => unknown

/** A gateway class and its message handlers. */
export interface GatewayClass {
  readonly name: string
  readonly prototype: object
  /** Class and method of each message handler, such as `ChatGateway.onMessage`, by its pattern. */
  readonly handlers: ReadonlyMap<string, string>
  /** The message handlers, by method name. */
  readonly methods: ReadonlyMap<string, Method>
}

/** Returns the description of a provider's class if it is a gateway. */
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

/** Lifecycle hooks of a gateway, which Nest calls. */
interface Gateway {
  afterInit?: Method
  handleConnection?: Method
  handleDisconnect?: Method
}

/** A gateway that Nest has instantiated. */
export interface GatewayInstance {
  readonly class: GatewayClass
  /** The instance that all clients share, or the placeholder that Nest keeps for a gateway that is created per client. */
  readonly instance: object
  readonly isShared: boolean
}

/**
 * Records spans for `handleConnection` and `handleDisconnect`. Wraps the methods of the instance, or of the class if each
 * client has an instance of its own.
 *
 * @param onInit called when Nest has created the gateway's server
 */
export function traceGateway(gateway: GatewayInstance, onInit: (gateway: GatewayClass) => void): void {
  const { class: described, instance, isShared } = gateway
  const original = (instance as Gateway).afterInit
  function afterInit(this: unknown, ...args: unknown[]): unknown {
    onInit(described)
    return original?.apply(this, args)
  }
  Object.defineProperty(instance, 'afterInit', hiddenProperty(afterInit))
  const target = isShared ? instance : described.prototype
  wrapHook(target, 'handleConnection', instance, (client) => {
    return tracedConnection(client)?.startOpen(`${described.name}.handleConnection`)
  })
  wrapHook(target, 'handleDisconnect', instance, (client) => {
    return tracedConnection(client)?.startDisconnect(`${described.name}.handleDisconnect`)
  })
}

const wrappers = new WeakSet<Method>()

function wrapHook(
  target: object,
  name: keyof Gateway,
  instance: object,
  startSpan: (client: object) => HandlerSpan | undefined,
): void {
  const original = (target as Gateway)[name]
  if (typeof original !== 'function' || wrappers.has(original)) return
  const hook: Method = original

  function traced(this: unknown, ...args: unknown[]): unknown {
    const [client] = args
    const span = typeof client === 'object' && client !== null ? startSpan(client) : undefined
    return span === undefined ? hook.apply(this, args) : span.run(call, this, args, undefined)
  }
  function call(span: HandlerSpan, self: unknown, args: unknown[]): unknown {
    const result = hook.apply(self, args)
    // Nest handles the promise of a gateway that is created per client, and discards that of a shared one.
    span.follow(result, hook, self !== instance)
    return result
  }
  Object.defineProperty(traced, 'name', { value: hook.name, configurable: true })
  Object.defineProperty(traced, 'length', { value: hook.length, configurable: true })
  wrappers.add(traced)
  Object.defineProperty(target, name, hiddenProperty(traced))
}
