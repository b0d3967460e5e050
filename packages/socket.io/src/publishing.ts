import { type Broadcast, isNativePromise, wrapMethod } from '@otel-ws/core/adapter'
import type { Adapter, ClusterMessage } from './host.ts'
import { CARRIER } from './server-side-emit.ts'

/**
 * Watches what an adapter publishes: a broadcast lasts until its message is out, and has failed when it is not, which the
 * host keeps to itself. What goes to servers only is given its carrier here.
 *
 * @param publishing broadcasts by the packet that is published
 * @returns a function that gives the adapter its own method back
 */
export function watchPublishing(adapter: Adapter, publishing: WeakMap<object, Broadcast>): () => void {
  const { doPublish } = adapter
  if (typeof doPublish !== 'function') return () => {}
  return wrapMethod(adapter, 'doPublish', function (this: Adapter, message: ClusterMessage): unknown {
    const { data } = message
    const packet = data?.packet
    const operation = typeof packet === 'object' && packet !== null ? publishing.get(packet) : undefined
    if (data === undefined || operation === undefined) return doPublish.call(this, message)
    if (Array.isArray(packet)) data[CARRIER] = operation.carrier()
    const result = doPublish.call(this, message)
    if (isNativePromise(result)) {
      operation.hold()
      result.then(
        () => operation.done(),
        (error: unknown) => {
          operation.fail(error)
          operation.done()
        },
      )
    }
    return result
  })
}
