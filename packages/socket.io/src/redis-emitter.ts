import type { TelemetryOptions } from '@otel-ws/core'
import { type Audience, createTelemetry, type Telemetry, wrapMethod } from '@otel-ws/core/adapter'
import { carrierRoom } from './carrier-room.ts'
import { driver } from './driver.ts'
import { SCOPE } from './version.ts'

type Method = (...args: never[]) => unknown

/** What an emitter and the operators that it makes have in common. */
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

/** The methods that make an operator, or an emitter for another namespace; `volatile` is a getter. */
const MAKERS = ['of', 'to', 'in', 'except', 'compress']

/**
 * Traces an emitter: a process that is no Socket.IO server and publishes to those that are. Each `emit` is a broadcast
 * without recipients of its own; what the servers deliver stands under it.
 *
 * @returns the emitter
 * @throws OptionError for wrong options, TypeError for what is no emitter
 */
export function traceEmitter<E extends SocketEmitter>(emitter: E, options: TelemetryOptions = {}): E {
  if (typeof emitter?.emit !== 'function')
    throw new TypeError('otel-ws: what is traced must be an Emitter of Socket.IO')
  const telemetry = createTelemetry(options, SCOPE, driver)
  if (telemetry.options.enabled) trace(emitter as unknown as Operator, telemetry, audienceOf(emitter))
  return emitter
}

function audienceOf(emitter: object): Audience {
  const { nsp } = emitter as { readonly nsp?: unknown }
  return typeof nsp === 'string' ? { route: nsp, namespace: nsp } : {}
}

function trace<O extends Operator>(operator: O, telemetry: Telemetry, audience: Audience): O {
  const host = operator as O & { [TRACED]?: true; readonly volatile?: Operator }
  if (host[TRACED] === true) return operator
  Object.defineProperty(operator, TRACED, { value: true })
  const { emit, except } = operator

  wrapMethod(operator, 'emit', function (this: Operator, event: string, ...args: unknown[]): unknown {
    const broadcast = telemetry.startBroadcast(audience, String(event))
    if (broadcast === undefined) return emit.call(this, event, ...args)
    // The application's own way to exclude a room; the operator that it gives is not traced.
    const publish = () => except.call(this, carrierRoom(broadcast.carrier())).emit(event, ...args)
    return broadcast.run(publish, 0, 0, 0)
  })

  for (const name of MAKERS) {
    const own = (operator as unknown as Record<string, Method | undefined>)[name]
    if (typeof own !== 'function') continue
    wrapMethod(operator, name, function (this: Operator, ...args: never[]): unknown {
      const made = own.apply(this, args) as Operator
      return trace(made, telemetry, name === 'of' ? audienceOf(made) : audience)
    })
  }
  const getter = getterOf(operator, 'volatile')
  if (getter !== undefined) {
    const get = (): Operator => trace(getter.call(operator) as Operator, telemetry, audience)
    Object.defineProperty(operator, 'volatile', { get, configurable: true })
  }
  return operator
}

function getterOf(target: object, name: string): (() => unknown) | undefined {
  for (let at: object | null = target; at !== null; at = Object.getPrototypeOf(at)) {
    const descriptor = Object.getOwnPropertyDescriptor(at, name)
    if (descriptor !== undefined) return descriptor.get
  }
  return undefined
}
