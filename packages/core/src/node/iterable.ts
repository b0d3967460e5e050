import type { Stream } from '../connection/stream.ts'
import { whenSettled } from '../context/promises.ts'
import { hiddenProperty } from './wrap-method.ts'

type Step = (this: unknown, value?: unknown) => unknown

/** Not `AsyncIterable`: what stands there is the application's, of whatever kind. */
interface Iterator {
  next: Step
  return?: Step
  throw?: Step
}

interface Iterable {
  [Symbol.asyncIterator]: (this: unknown) => Iterator
}

export function isAsyncIterable(value: unknown): value is object {
  if (typeof value !== 'object' || value === null) return false
  return typeof (value as Partial<Iterable>)[Symbol.asyncIterator] === 'function'
}

/** Iterables that are measured. */
const followed = new WeakSet<object>()
const iterators = new WeakSet<object>()

/**
 * Measures an async iterable while it is iterated; nothing is started before. The object stays the same, and the methods
 * of its iterators are wrapped.
 *
 * @param begin called when the iteration starts
 */
export function followIterable(iterable: object, begin: () => Stream): void {
  const host = iterable as Iterable
  const own = host[Symbol.asyncIterator]
  function iterate(this: unknown): Iterator {
    const iterator = own.call(this)
    if (!iterators.has(iterator)) followIterator(iterator, begin)
    return iterator
  }
  if (followed.has(iterable) || !Object.isExtensible(iterable)) return
  followed.add(iterable)
  Object.defineProperty(iterable, Symbol.asyncIterator, hiddenProperty(iterate))
}

function followIterator(iterator: Iterator, begin: () => Stream): void {
  if (!Object.isExtensible(iterator)) return
  iterators.add(iterator)
  let stream: Stream | undefined
  const { next, return: leave, throw: fail } = iterator

  function stepSettled(result: unknown): void {
    const { done } = (result ?? {}) as { readonly done?: unknown }
    if (done) stream?.end()
    else stream?.item()
  }

  function watch(step: unknown, settled: (result: unknown) => void): unknown {
    const failed = (error: unknown) => stream?.end(error)
    if (!whenSettled(step, settled, failed)) settled(step)
    return step
  }

  Object.defineProperty(
    iterator,
    'next',
    hiddenProperty(function (this: unknown, ...args: unknown[]): unknown {
      stream ??= begin()
      return watch(next.apply(this, args as [unknown]), stepSettled)
    }),
  )
  if (typeof leave === 'function') {
    Object.defineProperty(
      iterator,
      'return',
      hiddenProperty(function (this: unknown, ...args: unknown[]): unknown {
        return watch(leave.apply(this, args as [unknown]), () => stream?.cancel())
      }),
    )
  }
  if (typeof fail === 'function') {
    Object.defineProperty(
      iterator,
      'throw',
      hiddenProperty(function (this: unknown, ...args: unknown[]): unknown {
        return watch(fail.apply(this, args as [unknown]), stepSettled)
      }),
    )
  }
}
