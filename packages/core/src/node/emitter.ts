import type { Operation } from '../context/operation.ts'

/** Follows the promises that listeners return. */
type Follows = Pick<Operation, 'follow'>

type Listener = ((this: unknown, ...args: unknown[]) => unknown) & { listener?: Listener }

/** `ws` marks the wrappers that `addEventListener` and `onmessage` register with the user's handler, under this description. */
const HANDLER_MARK = 'kListener'

const REJECTION = Symbol.for('nodejs.rejection')

/** The members of Node's `EventEmitter` that a dispatch uses. */
export interface Emitter {
  emit(type: string, ...args: unknown[]): boolean
  rawListeners(type: string): unknown[]
  removeListener(type: string, listener: (...args: unknown[]) => void): unknown
}

/** The prototype of Node's own class: the outermost one with an `emit`. It is found without importing `node:events`. */
function emitterPrototype(emitter: Emitter): object | undefined {
  let found: object | undefined
  for (let at = Object.getPrototypeOf(emitter) as object | null; at !== null; at = Object.getPrototypeOf(at)) {
    if (Object.hasOwn(at, 'emit')) found = at
  }
  return found
}

/** True if an emitter's events go straight to the `emit` of Node's own class, so that no override is passed by. */
export function usesPlainEmit(emitter: Emitter): boolean {
  const root = emitterPrototype(emitter) as Emitter | undefined
  return root !== undefined && emitter.emit === root.emit && (emitter as { domain?: unknown }).domain == null
}

/** Key under which Node marks emitters with `captureRejections`. */
let captureMark: symbol | undefined
function captureMarkOf(emitter: Emitter): symbol | undefined {
  captureMark ??= Object.getOwnPropertySymbols(emitterPrototype(emitter) ?? {}).find(
    (symbol) => symbol.description === 'kCapture',
  )
  return captureMark
}

/**
 * Calls an emitter's listeners as Node's `emit` does, in order and with their own `this`, and follows the promises that
 * they return, which `emit` discards.
 */
export function dispatch(follower: Follows, emitter: Emitter, type: string, a: unknown, b: unknown): boolean {
  const wraps = handlerMarkOf(emitter)
  const sole = soleListener(emitter, type)
  const behind = zoneTasks(emitter, type)
  if (sole !== undefined) {
    const result = callListener(emitter, type, wraps, sole, a, b, behind?.[0])
    if (result !== undefined)
      followResult(follower, emitter, type, result, handlerOf(behind?.[0]?.callback ?? sole, wraps), [a, b])
    return true
  }
  const listeners = emitter.rawListeners(type) as Listener[]
  for (const [index, listener] of listeners.entries()) {
    const result = callListener(emitter, type, wraps, listener, a, b, behind?.[index])
    if (result === undefined) continue
    followResult(follower, emitter, type, result, handlerOf(behind?.[index]?.callback ?? listener, wraps), [a, b])
  }
  return listeners.length > 0
}

/** As `dispatch`, for events with any number of arguments. */
export function dispatchAll(follower: Follows, emitter: Emitter, type: string, args: unknown[]): boolean {
  const listeners = emitter.rawListeners(type) as Listener[]
  const behind = zoneTasks(emitter, type)
  for (const [index, listener] of listeners.entries()) {
    const result = listener.apply(emitter, args)
    if (result === undefined) continue
    followResult(follower, emitter, type, result, handlerOf(behind?.[index]?.callback ?? listener, undefined), args)
  }
  return listeners.length > 0
}

/** Node stores a single listener without a list. Reading it saves the copy of a list, as in Node's own `emit`. */
function soleListener(emitter: Emitter, type: string): Listener | undefined {
  const listeners = (emitter as { _events?: Readonly<Record<string, unknown>> })._events?.[type]
  return typeof listeners === 'function' ? (listeners as Listener) : undefined
}

/** Follows the result of a listener. Node's `emit` reads it only if the emitter captures rejections. */
function followResult(
  follower: Follows,
  emitter: Emitter,
  type: string,
  result: unknown,
  handler: unknown,
  args: unknown[],
): void {
  const mark = captureMarkOf(emitter)
  const captures = mark !== undefined && (emitter as unknown as Record<symbol, unknown>)[mark] === true
  if (captures) capture(emitter, mark, type, result, args)
  follower.follow(result, handler, captures)
}

/** The application's function behind the wrappers that `once`, `addEventListener` and `onmessage` register. */
function handlerOf(listener: Listener, mark: symbol | undefined): unknown {
  const registered = listener.listener ?? listener
  const handler = mark === undefined ? undefined : (registered as unknown as Record<symbol, unknown>)[mark]
  if (handler === undefined) return registered
  return typeof handler === 'object' ? (handler as { handleEvent?: unknown } | null)?.handleEvent : handler
}

/** A listener as zone.js keeps it. It registers a function of its own, which runs `callback` in the zone of the listener. */
interface ZoneTask {
  callback: Listener
}

/** The listeners of an event as zone.js keeps them, in their order; `undefined` without zone.js. */
function zoneTasks(emitter: Emitter, type: string): readonly ZoneTask[] | undefined {
  if (!('Zone' in globalThis)) return undefined
  const tasks = (emitter as unknown as Record<string, readonly ZoneTask[] | undefined>)[`__zone_symbol__${type}false`]
  // The list changes when a listener of `once` is called.
  return tasks && [...tasks]
}

function callListener(
  emitter: Emitter,
  type: string,
  mark: symbol | undefined,
  listener: Listener,
  a: unknown,
  b: unknown,
  task: ZoneTask | undefined,
): unknown {
  if (mark === undefined) return listener.call(emitter, a, b)
  const behind = task?.callback
  const registered = behind ?? listener.listener ?? listener
  const handler = (registered as unknown as Record<symbol, unknown>)[mark]
  if (handler === undefined) return listener.call(emitter, a, b)
  const target = eventTarget(emitter, type, registered, handler as Handler)
  if (target === undefined) return listener.call(emitter, a, b)
  if (task !== undefined) return callInZone(task, listener, target, emitter, a, b)
  if (registered !== listener) {
    if (fired.has(listener)) return undefined
    fired.add(listener)
    emitter.removeListener(type, listener as (...args: unknown[]) => void)
  }
  return target(emitter, a, b)
}

/** Calls a listener in its zone, as without telemetry. Apart from `callListener`, whose variables would be on the heap. */
function callInZone(
  task: ZoneTask,
  listener: Listener,
  target: Target,
  emitter: Emitter,
  a: unknown,
  b: unknown,
): unknown {
  const { callback } = task
  task.callback = () => target(emitter, a, b)
  try {
    return listener.call(emitter, a, b)
  } finally {
    task.callback = callback
  }
}

/** Wrappers of `once` that were called: a nested emit must not call them again. */
const fired = new WeakSet<Listener>()

type Handler = ((this: unknown, event: unknown) => unknown) | { handleEvent(event: unknown): unknown }

/** By the method that creates the wrappers: each copy of `ws` has its own key. */
const marks = new WeakMap<object, { readonly mark: symbol | undefined }>()

/** Key under which an emitter's wrappers of event handlers keep the handler; emitters without wrappers have none. */
function handlerMarkOf(emitter: Emitter): symbol | undefined {
  const { addEventListener } = emitter as { addEventListener?: unknown }
  if (typeof addEventListener !== 'function') return undefined
  let known = marks.get(addEventListener)
  if (known === undefined) {
    const wrapper = wrapperOf(emitter, 'message', () => {})
    const symbols = wrapper === undefined ? [] : Object.getOwnPropertySymbols(wrapper)
    known = { mark: symbols.find((symbol) => symbol.description === HANDLER_MARK) }
    marks.set(addEventListener, known)
  }
  return known.mark
}

/** The wrapper that the host would register for an event handler, made by the host's own method and not by an override. */
function wrapperOf(emitter: Emitter, type: string, handler: Handler): Listener | undefined {
  let addEventListener: unknown
  for (let at: object | null = emitter; at !== null; at = Object.getPrototypeOf(at) as object | null) {
    const own = Object.getOwnPropertyDescriptor(at, 'addEventListener')
    if (own !== undefined) addEventListener = own.value
  }
  let built: Listener | undefined
  const register = (_: string, listener: Listener) => {
    built = listener
  }
  const recorder = { listeners: () => [], on: register, once: register, addListener: register }
  try {
    ;(addEventListener as (type: string, handler: unknown) => void).call(recorder as never, type, handler)
  } catch {
    return undefined
  }
  return built
}

type Target = (emitter: Emitter, a: unknown, b: unknown) => unknown
const targets = new WeakMap<Listener, Target>()

/**
 * A wrapper of `ws` around an event handler creates an event, calls the handler, and discards its result. Here `ws` builds
 * the same wrapper around a function that calls the handler and keeps the result. The registered listeners of the socket
 * stay as they are.
 */
function eventTarget(emitter: Emitter, type: string, wrapper: Listener, handler: Handler): Target | undefined {
  const known = targets.get(wrapper)
  if (known !== undefined) return known
  let result: unknown
  function follow(this: unknown, event: unknown): void {
    result =
      typeof handler === 'object' && handler.handleEvent
        ? handler.handleEvent(event)
        : (handler as (this: unknown, event: unknown) => unknown).call(this, event)
  }
  const rebuilt = wrapperOf(emitter, type, follow)
  if (rebuilt === undefined) return undefined
  const target: Target = (socket, a, b) => {
    rebuilt.call(socket, a, b)
    const returned = result
    result = undefined
    return returned
  }
  targets.set(wrapper, target)
  return target
}

/** Does what Node does for an emitter with `captureRejections`: passes the rejection to its handler, or emits `error`. */
function capture(emitter: Emitter, mark: symbol, type: string, result: unknown, args: unknown[]): void {
  const then = (result as { then?: unknown } | null)?.then
  if (typeof then !== 'function') return
  then.call(result, undefined, (error: unknown) => {
    nextTick(() => {
      const host = emitter as unknown as Record<symbol, unknown>
      const handler = host[REJECTION]
      if (typeof handler === 'function') {
        handler.call(emitter, error, type, ...args)
        return
      }
      const before = host[mark]
      try {
        host[mark] = false
        emitter.emit('error', error)
      } finally {
        host[mark] = before
      }
    })
  })
}

function nextTick(callback: () => void): void {
  const { process } = globalThis as unknown as { process: { nextTick(callback: () => void): void } }
  process.nextTick(callback)
}
