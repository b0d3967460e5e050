import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as names from '../src/names.ts'

// Not told by any span yet: read where an application or a later version sets them.
const optional = new Set<string>([names.PING_RTT, names.SEND_BUFFERED])

test('every name that the views read is one that core emits', () => {
  const schema = readFileSync(new URL('../../../packages/core/src/schema.ts', import.meta.url), 'utf8')
  const emitted = new Set([...schema.matchAll(/'([a-z_]+(?:\.[a-z_]+)+)'/g)].map(([, name]) => name))
  expect(Object.values(names).filter((name) => !optional.has(name) && !emitted.has(name))).toEqual([])
  const board = readFileSync(new URL('../src/query/board.ts', import.meta.url), 'utf8')
  const instruments = [...board.matchAll(/`\$\{server\}\.([a-z_.]+)`/g)].map(([, name]) => `websocket.server.${name}`)
  expect(instruments.length).toBeGreaterThan(9)
  expect(instruments.filter((name) => !emitted.has(name))).toEqual([])
})
