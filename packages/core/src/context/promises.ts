type Then = (
  this: unknown,
  fulfilled: ((value: unknown) => void) | undefined,
  rejected: (error: unknown) => void,
) => unknown

/** What the language's own async functions return, also where `globalThis.Promise` was replaced. */
const NATIVE_PROTOTYPE = Object.getPrototypeOf((async () => {})()) as object

/** The key under which zone.js keeps a method that it has replaced. */
const REPLACED_BY_ZONE = '__zone_symbol__then'

const nativeThen = thenOf(NATIVE_PROTOTYPE) as Then

/** The `then` of native promises of other realms (`vm`, `iframe`), by their prototype; `null` for what is none. */
const foreignThens = new WeakMap<object, Then | null>()

/**
 * True for a promise whose `then` does nothing but observe: a native one of any realm, or one of the class that is the
 * global `Promise` now. Other thenables are not followed: calling `then` on a lazy one, such as a query builder, would
 * start its work. Nor is a promise with a `then` or `constructor` of its own, because that would be called.
 */
export function isFollowable(value: unknown): value is Promise<unknown> {
  return followableThen(value) !== undefined
}

/**
 * Calls one of two functions when a promise has settled; returns false for a value that is not followable. An error that
 * `rejected` throws is reported as an unhandled rejection, in the same place as that of the promise would be.
 */
export function whenSettled(
  value: unknown,
  fulfilled: ((value: unknown) => void) | undefined,
  rejected: (error: unknown) => void,
): boolean {
  const then = followableThen(value)
  if (then === undefined) return false
  try {
    then.call(value, fulfilled, rejected)
    return true
  } catch {
    // An object that only has the prototype of a promise.
    return false
  }
}

/**
 * True for an `async` function, also if it is bound or of another realm. Its promise is new with each call, so that only the
 * caller can have handled its rejection. By its tag, because a build may compile the `async` functions of this file.
 */
export function isAsyncFunction(value: unknown): boolean {
  try {
    return typeof value === 'function' && Object.prototype.toString.call(value) === '[object AsyncFunction]'
  } catch {
    // A revoked proxy.
    return false
  }
}

/** What lasts until all that user code left pending has settled. */
export interface Follower {
  hold(): void
  fail(error: unknown): void
  done(): void
}

/**
 * Holds a follower until the promise that a handler returned has settled, see {@link isFollowable}. A rejection that
 * nothing else handles stays unhandled, unless `handled` says that the host takes care of it.
 */
export function follow(follower: Follower, result: unknown, handled = false): void {
  if (typeof result !== 'object' || result === null) return
  const fulfilled = () => follower.done()
  const rejected = (error: unknown) => {
    follower.fail(error)
    follower.done()
    if (!handled) throw error
  }
  if (whenSettled(result, fulfilled, rejected)) follower.hold()
}

function followableThen(value: unknown): Then | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  try {
    const prototype = Object.getPrototypeOf(value) as object | null
    if (prototype === null || Object.hasOwn(value, 'then') || Object.hasOwn(value, 'constructor')) return undefined
    if (prototype === NATIVE_PROTOTYPE) return nativeThen
    if (prototype === globalThis.Promise?.prototype) return thenOf(prototype)
    return foreignThen(prototype) ?? undefined
  } catch {
    // A proxy that throws.
    return undefined
  }
}

/** A method that zone.js replaced makes a promise of its own, whose rejection would be reported elsewhere. */
function thenOf(prototype: object): Then | undefined {
  const then = ownValue(prototype, REPLACED_BY_ZONE) ?? ownValue(prototype, 'then')
  return typeof then === 'function' ? (then as Then) : undefined
}

function foreignThen(prototype: object): Then | null {
  let then = foreignThens.get(prototype)
  if (then === undefined) {
    then = findForeignThen(prototype)
    foreignThens.set(prototype, then)
  }
  return then
}

/** A native `Promise.prototype` has a native constructor of that name and inherits from the root of its realm only. */
function findForeignThen(prototype: object): Then | null {
  const maker = ownValue(prototype, 'constructor')
  const then = ownValue(prototype, 'then')
  const root = Object.getPrototypeOf(prototype) as object | null
  if (root === null || Object.getPrototypeOf(root) !== null) return null
  if (!isNative(maker, 'Promise') || !isNative(then, 'then')) return null
  return ownValue(maker as object, 'prototype') === prototype ? (then as Then) : null
}

function isNative(value: unknown, name: string): boolean {
  const text = typeof value === 'function' ? Function.prototype.toString.call(value) : ''
  return text.startsWith(`function ${name}(`) && text.includes('[native code]')
}

/** The value of an own property, without running a getter. */
function ownValue(object: object, key: string): unknown {
  return Object.getOwnPropertyDescriptor(object, key)?.value
}
