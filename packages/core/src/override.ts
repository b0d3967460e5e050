type Method = (this: never, ...args: never[]) => unknown

/** Makes a function look like the one that it stands in front of. */
export function disguise<M extends Method>(method: M, own: Method): M {
  Object.defineProperty(method, 'name', { value: own.name, configurable: true })
  Object.defineProperty(method, 'length', { value: own.length, configurable: true })
  return method
}

/** A property that enumerations do not show. */
export function hidden(value: unknown): PropertyDescriptor {
  return { value, configurable: true, writable: true, enumerable: false }
}

/** Puts a method in front of an object's own and returns a function that takes it away again. */
export function override(target: object, name: string, method: Method): () => void {
  const host = target as Record<string, unknown>
  const before = Object.getOwnPropertyDescriptor(target, name)
  Object.defineProperty(target, name, hidden(disguise(method, host[name] as Method)))
  return () => {
    if (host[name] !== method) return
    if (before === undefined) delete host[name]
    else Object.defineProperty(target, name, before)
  }
}
