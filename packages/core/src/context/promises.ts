const { then } = Promise.prototype

/** A promise made by the language itself, whose `then` does nothing but observe. */
export function isNativePromise(value: unknown): value is Promise<unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Promise.prototype
}

/** What lasts until all that user code left pending has settled. */
export interface Follower {
  hold(): void
  fail(error: unknown): void
  done(): void
}

/**
 * Holds a follower until what a handler returned has settled. Native promises are awaited; all else is none of our
 * business: calling `then` on a lazy thenable, such as a query builder, would start its work. A rejection that nobody else
 * handles stays unhandled, unless `handled` says that the host takes care of it.
 */
export function follow(follower: Follower, result: unknown, handled = false): void {
  if (!isNativePromise(result)) return
  const fulfilled = () => follower.done()
  const rejected = (error: unknown) => {
    follower.fail(error)
    follower.done()
    if (!handled) throw error
  }
  try {
    // The built-in itself: an own `then` is not called, and a look-alike is refused before anything of it is touched.
    then.call(result, fulfilled, rejected)
  } catch {
    return
  }
  follower.hold()
}
