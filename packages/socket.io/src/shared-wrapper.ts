import { copySignature } from '@otel-ws/core/node'

type Method = (this: never, ...args: never[]) => unknown

/**
 * Returns a function that wraps methods with `create` and returns the same wrapper for the same original, so that all
 * objects of one class share it.
 */
export function sharedWrapper<M extends Method>(create: (original: M) => M): (original: M) => M {
  const wrappers = new WeakMap<M, M>()
  return (original) => {
    let wrapper = wrappers.get(original)
    if (wrapper === undefined) {
      wrapper = copySignature(create(original), original)
      wrappers.set(original, wrapper)
    }
    return wrapper
  }
}
