import {
  type Audience,
  type Broadcast,
  dispatchAll,
  type Emitter,
  type Telemetry,
  wrapMethod,
} from '@otel-ws/core/adapter'
import type { Adapter, ClusterMessage, Namespace } from './host.ts'

type Callback = (...args: unknown[]) => unknown

/** Member of a message between servers; those without telemetry do not look at it. */
export const CARRIER = '_otel'

/**
 * Traces `serverSideEmit`: a broadcast whose recipients are servers, and on each of them a delivery that lasts until
 * their listeners have settled. Adapters that are not built on `ClusterAdapter` send nothing but the arguments: there
 * the deliveries are traces of their own.
 *
 * @returns a function that gives adapter and namespace their own methods back
 */
export function traceServerSideEmit(
  namespace: Namespace,
  adapter: Adapter,
  telemetry: Telemetry,
  audience: Audience,
  publishing: WeakMap<object, Broadcast>,
): () => void {
  const { serverSideEmit, onMessage } = adapter
  const own = namespace._onServerSideEmit
  let arriving: unknown
  const undo: (() => void)[] = []

  if (typeof serverSideEmit === 'function') {
    const traced = function (this: Adapter, packet: unknown[]): unknown {
      const name = packet[0]
      const operation = typeof name === 'string' ? telemetry.startBroadcast(audience, name) : undefined
      if (operation === undefined) return serverSideEmit.call(this, packet)
      publishing.set(packet, operation)
      followAnswer(packet, operation)
      return operation.run(
        () => {
          const result = serverSideEmit.call(this, packet)
          operation.follow(result)
          return result
        },
        0,
        0,
        0,
      )
    }
    undo.push(wrapMethod(adapter, 'serverSideEmit', traced))
  }

  if (typeof onMessage === 'function') {
    const traced = function (this: Adapter, message: ClusterMessage, offset?: unknown): unknown {
      const { data } = message
      if (data?.[CARRIER] === undefined) return onMessage.call(this, message, offset)
      arriving = data[CARRIER]
      try {
        return onMessage.call(this, message, offset)
      } finally {
        arriving = undefined
      }
    }
    undo.push(wrapMethod(adapter, 'onMessage', traced))
  }

  function _onServerSideEmit(this: Namespace, args: unknown[]): unknown {
    const carrier = arriving
    arriving = undefined
    const name = args[0]
    const operation = typeof name === 'string' ? telemetry.startDelivery(audience, name, carrier) : undefined
    if (operation === undefined) return own.call(this, args)
    const [, ...rest] = args
    return operation.run(() => dispatchAll(operation, this as unknown as Emitter, name as string, rest), 0, 0, 0)
  }
  undo.push(wrapMethod(namespace, '_onServerSideEmit', _onServerSideEmit))
  return () => {
    for (const step of undo) step()
  }
}

/** Keeps a broadcast open until the servers have answered, if the application waits for that. */
function followAnswer(packet: unknown[], operation: Broadcast): void {
  const last = packet.length - 1
  const answer = packet[last]
  if (typeof answer !== 'function') return
  operation.hold()
  let answered = false
  packet[last] = function (this: unknown, ...args: unknown[]): unknown {
    if (!answered) {
      answered = true
      operation.acknowledged(args[0] === null || args[0] === undefined ? 'ok' : 'timeout')
      operation.done()
    }
    return (answer as Callback).apply(this, args)
  }
}
