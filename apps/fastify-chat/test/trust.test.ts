import { expect, it } from 'vitest'
import { trustOf } from '../src/trust.ts'

it.each([
  ['127.0.0.1', 'parent'],
  ['::ffff:127.0.0.1', 'parent'],
  ['::1', 'parent'],
  ['192.0.2.7', 'link'],
  ['::ffff:192.0.2.7', 'link'],
  ['2001:db8::127.0.0.1', 'link'],
  [undefined, 'link'],
])('a client from %s is given the trust %s', (remoteAddress, trust) => {
  expect(trustOf({ socket: { remoteAddress } })).toBe(trust)
})
