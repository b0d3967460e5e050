import type { ExecutionContext } from '@nestjs/common'
import { metadata } from './metadata.ts'

/** A message handler, as described by the metadata of its decorators. */
export interface Handler {
  /** Class and method, such as `ChatGateway.onMessage`. */
  readonly functionName: string
  /** The pattern of `@SubscribeMessage`, if it is a string. */
  readonly pattern: string | undefined
  /** Option `path` of the gateway. */
  readonly path: string | undefined
  /** The handler sends the acknowledgement itself, with `@Ack()`. */
  readonly acknowledges: boolean
}

/** Keys of the metadata of Nest's decorators. */
const PATTERN = 'message'
const GATEWAY_OPTIONS = 'websockets:gateway_options'
const PARAMETERS = '__routeArguments__'
const ACK_PARAMETER = /^13:/

const known = new WeakMap<object, WeakMap<object, Handler>>()

/** Returns the handler of a message. Its metadata is read once, not per message. */
export function describeHandler(context: ExecutionContext): Handler {
  const gateway = context.getClass()
  const callback = context.getHandler()
  let handlers = known.get(gateway)
  if (handlers === undefined) {
    handlers = new WeakMap()
    known.set(gateway, handlers)
  }
  let handler = handlers.get(callback)
  if (handler === undefined) {
    const pattern = metadata(PATTERN, callback)
    const path = (metadata(GATEWAY_OPTIONS, gateway) as { path?: unknown } | undefined)?.path
    const parameters = Object.keys((metadata(PARAMETERS, gateway, callback.name) as object | undefined) ?? {})
    handler = {
      functionName: `${gateway.name}.${callback.name}`,
      pattern: typeof pattern === 'string' ? pattern : undefined,
      path: typeof path === 'string' ? path : undefined,
      acknowledges: parameters.some((parameter) => ACK_PARAMETER.test(parameter)),
    }
    handlers.set(callback, handler)
  }
  return handler
}
