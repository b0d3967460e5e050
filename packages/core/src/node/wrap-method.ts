type Method = (this: never, ...args: never[]) => unknown

/** For each method of ours, the one that it stands in front of. */
const originals = new WeakMap<object, unknown>()

/** Makes a function look like the one that it stands in front of. */
export function copySignature<M extends Method>(method: M, own: Method): M {
  originals.set(method, own)
  return rename(method, own)
}

function rename<M extends Method>(method: M, own: Method): M {
  Object.defineProperty(method, 'name', { value: own.name, configurable: true })
  return Object.defineProperty(method, 'length', { value: own.length, configurable: true })
}

/** A property that enumerations do not show. */
export function hiddenProperty(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false }
}

/** Puts a method in front of an object's own, for good. */
export function replaceMethod(target: object, name: string, method: Method): void {
  Object.defineProperty(
    target,
    name,
    hiddenProperty(rename(method, (target as Record<string, Method>)[name] as Method)),
  )
}

/** Puts a method in front of an object's own and returns a function that takes it away again. */
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

/** Gives an object its own methods back. What somebody else has put in front of ours stays. */
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
