import { runInNewContext } from 'node:vm'
import { describe, expect, it } from 'vitest'
import { follow, isFollowable, whenSettled } from '../src/context/promises.ts'

const NativePromise = globalThis.Promise

/** Runs `script` while another class is the global `Promise`. */
function withGlobal(replacement: unknown, script: () => void): void {
  globalThis.Promise = replacement as PromiseConstructor
  try {
    script()
  } finally {
    globalThis.Promise = NativePromise
  }
}

/** Notes what happens to an operation. */
function recorder() {
  const events: unknown[] = []
  return {
    events,
    hold: () => events.push('hold'),
    fail: (error: unknown) => events.push(error),
    done: () => events.push('done'),
  }
}

/** A class that stands in for the global one, as zone.js and polyfills have it. */
class Replacement {
  readonly #promise: Promise<unknown>

  constructor(executor: (resolve: (value: unknown) => void, reject: (error: unknown) => void) => void) {
    this.#promise = new NativePromise(executor)
  }

  // biome-ignore lint/suspicious/noThenProperty: it stands for a promise
  then(fulfilled?: (value: unknown) => unknown, rejected?: (error: unknown) => unknown): Promise<unknown> {
    return this.#promise.then(fulfilled, rejected)
  }
}

describe('a promise', () => {
  it.each<[string, () => unknown]>([
    ['of an async function', async () => {}],
    ['of the constructor', () => Promise.resolve()],
    ['of another realm', () => runInNewContext('Promise.resolve()')],
    ['of an async function of another realm', () => runInNewContext('(async () => {})()')],
  ])('%s is followed until it settles', async (_what, make) => {
    const operation = recorder()
    const promise = make()
    follow(operation, promise)
    expect(operation.events).toEqual(['hold'])
    await promise
    expect(operation.events).toEqual(['hold', 'done'])
  })

  it('of the class that has replaced the global one is followed, and so are those of async functions', async () => {
    const replaced = new Replacement((resolve) => resolve(1))
    const native = (async () => {})()
    for (const promise of [replaced, native]) {
      const operation = recorder()
      withGlobal(Replacement, () => follow(operation, promise))
      expect(operation.events).toEqual(['hold'])
      await promise
      expect(operation.events).toEqual(['hold', 'done'])
    }
    expect(isFollowable(replaced)).toBe(false)
  })

  it('that is rejected fails the operation, in its realm and in others', async () => {
    for (const make of [Promise.reject.bind(Promise), runInNewContext('Promise.reject.bind(Promise)')]) {
      const operation = recorder()
      const promise = make('late') as Promise<unknown>
      follow(operation, promise, true)
      await promise.catch(() => {})
      expect(operation.events).toEqual(['hold', 'late', 'done'])
    }
  })

  it('with a `then` or a constructor of its own, of a subclass, or that only looks like one is not touched', () => {
    const touched: string[] = []
    const trap = (what: string) => ({ get: () => touched.push(what), configurable: true })
    const then = 'then'
    class Lazy extends Promise<void> {}
    const candidates = [
      Object.defineProperty(Promise.resolve(), 'then', trap('then')),
      Object.defineProperty(Promise.resolve(), 'constructor', trap('constructor')),
      Lazy.resolve(),
      Object.create(Object.create(null, { [then]: trap('inherited') })),
      new Proxy(Promise.resolve(), {
        getPrototypeOf() {
          throw new Error('proxy')
        },
      }),
      null,
      undefined,
      'text',
      () => {},
    ]
    const operation = recorder()
    for (const candidate of candidates) follow(operation, candidate)
    expect([touched, operation.events]).toEqual([[], []])
  })

  it('by its prototype alone is refused', () => {
    const operation = recorder()
    follow(operation, Object.create(Promise.prototype))
    expect(operation.events).toEqual([])
    expect(whenSettled(Object.create(Promise.prototype), undefined, () => {})).toBe(false)
  })
})
