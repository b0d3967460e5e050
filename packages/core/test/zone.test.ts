import { Queue, withProcessErrors } from '@otel-ws/testkit'
import { expect, it, vi } from 'vitest'
import type * as Promises from '../src/context/promises.ts'

const before = await import('../src/context/promises.ts')
const NativePromise = globalThis.Promise
// This door of zone.js has no declarations.
await import('zone.js/node' as string)
vi.resetModules()
const after = await import('../src/context/promises.ts')

it('tests with the class of zone.js, and with modules that were loaded before and after it', () => {
  expect(globalThis.Promise).not.toBe(NativePromise)
  expect(after).not.toBe(before)
})

it.each<[string, typeof Promises]>([
  ['before', before],
  ['after', after],
])(
  'follows what native async functions and those of ES2015 output return, loaded %s zone.js',
  async (_when, module) => {
    let release: () => void = () => {}
    const gate = new NativePromise<void>((resolve) => {
      release = resolve
    })
    const events: string[] = []
    const made = [(async () => await gate)(), new Promise<void>((resolve) => gate.then(resolve))]
    expect(made.map((promise) => Object.getPrototypeOf(promise))).toEqual([NativePromise.prototype, Promise.prototype])
    const settled = new Queue<string>('end of an operation')
    for (const promise of made) {
      const fail = (error: unknown) => events.push(`failed ${error}`)
      module.follow({ hold: () => events.push('held'), fail, done: () => settled.push('end') }, promise)
    }
    expect([events, settled.size]).toEqual([['held', 'held'], 0])
    release()
    await settled.next()
    await settled.next()
    expect(events).toEqual(['held', 'held'])
  },
)

it.each<[string, typeof Promises]>([
  ['before', before],
  ['after', after],
])('leaves a rejection of an async function unhandled, once, loaded %s zone.js', async (_when, module) => {
  await withProcessErrors(async (errors) => {
    const failures: unknown[] = []
    const late = new RangeError('late')
    const promise = (async () => {
      throw late
    })()
    module.follow({ hold() {}, fail: (error) => failures.push(error), done() {} }, promise)
    expect(await errors.next()).toEqual({ event: 'unhandledRejection', error: late })
    await new NativePromise((resolve) => setImmediate(resolve))
    expect([failures, errors.size]).toEqual([[late], 0])
  })
})
