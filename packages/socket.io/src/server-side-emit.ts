import type { Audience, Broadcast, FanoutSpan, Telemetry } from '@otel-ws/core/adapter'
import { dispatchAll, type Emitter, wrapMethod } from '@otel-ws/core/node'
import type { Adapter, ClusterMessage, Namespace } from './host.ts'

type Callback = (...args: unknown[]) => unknown

/** Member of the messages between servers that has the carrier. Servers without telemetry ignore it. */
export const CARRIER = '_otel'

/**
 * Traces `serverSideEmit`: a broadcast span on the server that sends, and on each server that receives a delivery span
 * that lasts until its listeners have settled. Adapters that do not inherit from `ClusterAdapter` publish only the
 * arguments of the call, without a carrier: their deliveries start traces of their own.
 *
 * @param published stores the broadcast by the packet that is published for it
 * @returns a function that restores the original methods of adapter and namespace
 */
export function traceServerSideEmit(
  namespace: Namespace,
  adapter: Adapter,
  telemetry: Telemetry,
  audience: Audience,
  published: WeakMap<object, Broadcast>,
): () => void {
  const restore = [
    traceSend(adapter, telemetry, audience, published),
    ...traceReceive(namespace, adapter, telemetry, audience),
  ]
  return () => {
    for (const step of restore) step()
  }
}

function traceSend(
  adapter: Adapter,
  telemetry: Telemetry,
  audience: Audience,
  published: WeakMap<object, Broadcast>,
): () => void {
  const { serverSideEmit } = adapter
  if (typeof serverSideEmit !== 'function') return () => {}
  const original: NonNullable<typeof serverSideEmit> = serverSideEmit

  function publish(broadcast: Broadcast, self: Adapter, args: IArguments): unknown {
    const result = original.apply(self, args as never)
    broadcast.follow(result, original)
    return result
  }

  return wrapMethod(adapter, 'serverSideEmit', function (this: Adapter, packet: unknown[]): unknown {
    const name = packet?.[0]
    const broadcast = typeof name === 'string' ? telemetry.startBroadcast(audience, name) : undefined
    if (broadcast === undefined) return original.apply(this, arguments as never)
    published.set(packet, broadcast)
    endWithAnswer(packet, broadcast)
    return broadcast.run(publish, this, arguments, undefined)
  })
}

function traceReceive(
  namespace: Namespace,
  adapter: Adapter,
  telemetry: Telemetry,
  audience: Audience,
): (() => void)[] {
  const { onMessage } = adapter
  const { _onServerSideEmit } = namespace
  const restore: (() => void)[] = []
  /** Set while `onMessage` runs, which calls `_onServerSideEmit` in the same synchronous run. */
  let carrierOfCurrentRun: unknown

  if (typeof onMessage === 'function') {
    const tracedOnMessage = function (this: Adapter, message: ClusterMessage): unknown {
      const carrier = message?.data?.[CARRIER]
      if (carrier === undefined) return onMessage.apply(this, arguments as never)
      carrierOfCurrentRun = carrier
      try {
        return onMessage.apply(this, arguments as never)
      } finally {
        carrierOfCurrentRun = undefined
      }
    }
    restore.push(wrapMethod(adapter, 'onMessage', tracedOnMessage))
  }

  function tracedOnServerSideEmit(this: Namespace, args: unknown[]): unknown {
    const carrier = carrierOfCurrentRun
    carrierOfCurrentRun = undefined
    const [name, ...rest] = args ?? []
    const delivery = typeof name === 'string' ? telemetry.startDelivery(audience, name, carrier) : undefined
    if (delivery === undefined) return _onServerSideEmit.apply(this, arguments as never)
    return delivery.run(callListeners, this, name as string, rest)
  }

  restore.push(wrapMethod(namespace, '_onServerSideEmit', tracedOnServerSideEmit))
  return restore
}

function callListeners(delivery: FanoutSpan, namespace: Namespace, name: string, args: unknown[]): boolean {
  return dispatchAll(delivery, namespace as unknown as Emitter, name, args)
}

/** Keeps the broadcast open until the other servers have answered, if the application passed a callback. */
function endWithAnswer(packet: unknown[], broadcast: Broadcast): void {
  const last = packet.length - 1
  const answer = packet[last]
  if (typeof answer !== 'function') return
  broadcast.hold()
  let isAnswered = false
  packet[last] = function (this: unknown, ...args: unknown[]): unknown {
    if (!isAnswered) {
      isAnswered = true
      const [error] = args
      broadcast.acknowledged(error === null || error === undefined ? 'ok' : 'timeout')
      broadcast.done()
    }
    return (answer as Callback).apply(this, args)
  }
}
