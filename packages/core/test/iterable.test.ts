import { describe, expect, it } from 'vitest'
import type { Stream } from '../src/connection/stream.ts'
import { followIterable, isAsyncIterable } from '../src/node/iterable.ts'

/** Notes what a stream is told. */
function recorder(): { readonly told: unknown[]; readonly begin: () => Stream } {
  const told: unknown[] = []
  const stream = {
    item: () => told.push('item'),
    end: (error?: unknown) => told.push(error === undefined ? 'end' : error),
    cancel: () => told.push('cancel'),
  }
  const begin = () => {
    told.push('begin')
    return stream as unknown as Stream
  }
  return { told, begin }
}

async function* count(to: number, error?: Error): AsyncGenerator<number> {
  for (let n = 1; n <= to; n++) yield n
  if (error !== undefined) throw error
}

async function collect(iterable: AsyncIterable<number>): Promise<number[]> {
  const items: number[] = []
  for await (const item of iterable) items.push(item)
  return items
}

describe('an async iterable', () => {
  it('is told from others', () => {
    expect([count(1), [1], null, 'text', { next() {} }].map(isAsyncIterable)).toEqual([
      true,
      false,
      false,
      false,
      false,
    ])
  })

  it('is measured while it is iterated over', async () => {
    const { told, begin } = recorder()
    const iterable = count(2)
    followIterable(iterable, begin)
    expect(told).toEqual([])
    expect(await collect(iterable)).toEqual([1, 2])
    expect(told).toEqual(['begin', 'item', 'item', 'end'])
  })

  it('is told as failed with its error, which the consumer gets', async () => {
    const { told, begin } = recorder()
    const error = new Error('on purpose')
    const iterable = count(1, error)
    followIterable(iterable, begin)
    await expect(collect(iterable)).rejects.toBe(error)
    expect(told).toEqual(['begin', 'item', error])
  })

  it('is told as cancelled when its consumer leaves', async () => {
    const { told, begin } = recorder()
    const iterable = count(5)
    followIterable(iterable, begin)
    for await (const item of iterable) if (item === 2) break
    expect(told).toEqual(['begin', 'item', 'item', 'cancel'])
  })

  it('stays what it was', async () => {
    const { begin } = recorder()
    const iterable = count(1)
    const keys = Reflect.ownKeys(iterable)
    followIterable(iterable, begin)
    expect(Object.keys(iterable)).toEqual(keys)
    expect(iterable[Symbol.asyncIterator]()).toBe(iterable)
    expect(await iterable.next()).toEqual({ done: false, value: 1 })
    expect(await iterable.return(7)).toEqual({ done: true, value: 7 })
  })

  it('is measured once, however often it is followed', async () => {
    const { told, begin } = recorder()
    const iterable = count(1)
    followIterable(iterable, begin)
    followIterable(iterable, begin)
    await collect(iterable)
    await collect(iterable)
    expect(told).toEqual(['begin', 'item', 'end', 'end'])
  })

  it('of the application`s own kind has each iteration measured', async () => {
    const { told, begin } = recorder()
    const iterable = { [Symbol.asyncIterator]: () => count(1) }
    followIterable(iterable, begin)
    expect(await collect(iterable)).toEqual([1])
    expect(await collect(iterable)).toEqual([1])
    expect(told).toEqual(['begin', 'item', 'end', 'begin', 'item', 'end'])
  })

  it('that nobody may change is left alone', async () => {
    const { told, begin } = recorder()
    const iterable = Object.freeze({ [Symbol.asyncIterator]: () => count(1) })
    followIterable(iterable, begin)
    expect(await collect(iterable)).toEqual([1])
    expect(told).toEqual([])
  })
})
