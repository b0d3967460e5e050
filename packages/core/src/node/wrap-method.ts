type Method = (this: never, ...args: never[]) => unknown

/** The original of each wrapper. */
const originals = new WeakMap<object, unknown>()

/** Gives a wrapper the name and length of its original. */
export function copySignature<M extends Method>(method: M, own: Method): M {
  originals.set(method, own)
  return rename(method, own)
}

function rename<M extends Method>(method: M, own: Method): M {
  Object.defineProperty(method, 'name', { value: own.name, configurable: true })
  return Object.defineProperty(method, 'length', { value: own.length, configurable: true })
}

/** The arguments of a call as an array, with another value at one position. */
export function withArgument(args: ArrayLike<unknown>, index: number, value: unknown): never {
  const all = Array.prototype.slice.call(args) as unknown[]
  all[index] = value
  // Whatever the method takes: an application may pass more than its types know.
  return all as never
}

/** A property that is not enumerable. */
export function hiddenProperty(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false }
}

/** Wraps a method of an object permanently. */
export function replaceMethod(target: object, name: string, method: Method): void {
  Object.defineProperty(
    target,
    name,
    hiddenProperty(rename(method, (target as Record<string, Method>)[name] as Method)),
  )
}

/** Wraps a method of an object. Returns a function that restores the original, unless the wrapper was wrapped again. */
export function wrapMethod(target: object, name: string, method: Method): () => void {
  const host = target as Record<string, unknown>
  const before = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, hiddenProperty(copySignature(method, host[name] as Method)))
  return () => {
    if (host[name] !== method) return
    if (before === undefined) delete host[name]
    else Object.defineProperty(target, name, before)
  }
}

/** Restores the original methods of an object. A wrapper that was wrapped again by other code stays. */
export function unwrapMethods(target: object, names: readonly string[]): void {
  const host = target as Record<string, unknown>
  for (const name of names) {
    if (!Object.hasOwn(host, name)) continue
    const own = originals.get(host[name] as object)
    if (own === undefined) continue
    delete host[name]
    if (host[name] !== own) host[name] = own
  }
}
