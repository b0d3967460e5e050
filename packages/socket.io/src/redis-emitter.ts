import type { TelemetryOptions } from '@otel-ws/core'
import { type Audience, type Broadcast, createTelemetry, type Telemetry } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import { carrierRoom } from './carrier-room.ts'
import { driver } from './driver.ts'
import { SCOPE } from './version.ts'

type Method = (...args: never[]) => unknown

/** An emitter, or an operator that one of its methods returned. */
interface Operator {
  emit(event: string, ...args: unknown[]): unknown
  except(rooms: string): Operator
}

/** An emitter of `@socket.io/redis-emitter` or `@socket.io/postgres-emitter`. */
export interface SocketEmitter {
  emit: Method
  of: Method
  to: Method
  except: Method
}

const TRACED = Symbol.for('otel-ws.socket.io.emitter')

/** Methods that return an operator, or an emitter for another namespace; `volatile` is a getter. */
const CHAINED = ['of', 'to', 'in', 'except', 'compress']

/**
 * Traces an emitter, with which a process that is not a Socket.IO server publishes to servers. Each `emit` is a broadcast
 * span without recipients of its own; the delivery spans of the servers are its children.
 *
 * @returns the emitter
 * @throws OptionError for wrong options, TypeError if `emitter` is not an emitter
 */
export function traceEmitter<E extends SocketEmitter>(emitter: E, options: TelemetryOptions = {}): E {
  if (typeof emitter?.emit !== 'function')
    throw new TypeError('otel-ws: traceEmitter() expects an Emitter of Socket.IO')
  const telemetry = createTelemetry(options, SCOPE, driver)
  if (telemetry.options.enabled) traceOperator(emitter as unknown as Operator, telemetry, audienceOf(emitter))
  return emitter
}

function audienceOf(emitter: object): Audience {
  const { nsp } = emitter as { readonly nsp?: unknown }
  return typeof nsp === 'string' ? { route: nsp, namespace: nsp } : {}
}

function traceOperator<O extends Operator>(operator: O, telemetry: Telemetry, audience: Audience): O {
  const host = operator as O & { [TRACED]?: true; readonly volatile?: Operator }
  if (host[TRACED] === true) return operator
  Object.defineProperty(operator, TRACED, { value: true })
  traceEmit(operator, telemetry, audience)

  for (const name of CHAINED) {
    const original = (operator as unknown as Record<string, Method | undefined>)[name]
    if (typeof original !== 'function') continue
    wrapMethod(operator, name, function (this: Operator, ...args: never[]): unknown {
      const next = original.apply(this, args) as Operator
      return traceOperator(next, telemetry, name === 'of' ? audienceOf(next) : audience)
    })
  }
  const getter = getterOf(operator, 'volatile')
  if (getter !== undefined) {
    const get = (): Operator => traceOperator(getter.call(operator) as Operator, telemetry, audience)
    Object.defineProperty(operator, 'volatile', { get, configurable: true })
  }
  return operator
}

function traceEmit(operator: Operator, telemetry: Telemetry, audience: Audience): void {
  const { emit, except } = operator

  /** Calls the original `except`, which returns an untraced operator, to publish the carrier. */
  function publish(broadcast: Broadcast, self: Operator, event: string, args: unknown[]): unknown {
    return except.call(self, carrierRoom(broadcast.carrier())).emit(event, ...args)
  }

  wrapMethod(operator, 'emit', function (this: Operator, event: string, ...args: unknown[]): unknown {
    const broadcast = telemetry.startBroadcast(audience, String(event))
    if (broadcast === undefined) return emit.call(this, event, ...args)
    return broadcast.run(publish, this, event, args)
  })
}

function getterOf(target: object, name: string): (() => unknown) | undefined {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name)
    if (descriptor !== undefined) return descriptor.get
  }
  return undefined
}
