import { expect, it } from 'vitest'
import { differingOptions } from '../src/options/difference.ts'
import { resolveOptions } from '../src/options/resolve.ts'

const differing = (a: object, b: object) => differingOptions(resolveOptions(a, {}), resolveOptions(b, {}))

it('finds no difference between options that say the same', () => {
  const options = {
    messageName: '$.type',
    ignore: { routes: ['/health', /^\/x/] },
    closeErrors: ['policy'],
    closeCodes: [4001],
  }
  expect(differing(options, structuredClone(options))).toEqual([])
})

it('names each option that differs', () => {
  const route = () => '/a'
  expect(differing({ route, frames: true }, { route })).toEqual(['frames'])
  expect(differing({ route }, { route: () => '/a' })).toEqual(['route'])
  expect(differing({ closeCodes: [4001] }, { closeCodes: [4002] })).toEqual(['closeCodes'])
  expect(differing({ ignore: { routes: ['/a'] } }, { ignore: { routes: [/a/] } })).toEqual(['ignore'])
  expect(differing({ messageName: '$.type' }, { messageName: '$.event' })).toEqual(['messageName'])
})
