import { type Broadcast, whenSettled } from '@otel-ws/core/adapter'
import { wrapMethod } from '@otel-ws/core/node'
import type { Adapter, ClusterMessage } from './host.ts'
import { CARRIER } from './server-side-emit.ts'

/**
 * Keeps a broadcast open until its message is published, and records the failure to publish, which Socket.IO does not
 * report. Adds the carrier to messages between servers.
 *
 * @param published broadcasts by the packet that is published for them
 * @returns a function that restores the original method of the adapter
 */
export function tracePublish(adapter: Adapter, published: WeakMap<object, Broadcast>): () => void {
  const { doPublish } = adapter
  if (typeof doPublish !== 'function') return () => {}
  return wrapMethod(adapter, 'doPublish', function (this: Adapter, message: ClusterMessage): unknown {
    const { data } = message
    const packet = data?.packet
    const broadcast = typeof packet === 'object' && packet !== null ? published.get(packet) : undefined
    if (data === undefined || broadcast === undefined) return doPublish.apply(this, arguments as never)
    // Only `serverSideEmit` publishes an array; the packet of a broadcast has its carrier among the excluded rooms.
    if (Array.isArray(packet)) data[CARRIER] = broadcast.carrier()
    const result = doPublish.apply(this, arguments as never)
    const failed = (error: unknown) => {
      broadcast.fail(error)
      broadcast.done()
    }
    if (whenSettled(result, () => broadcast.done(), failed)) broadcast.hold()
    return result
  })
}
