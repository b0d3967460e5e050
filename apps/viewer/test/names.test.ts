import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import * as names from '../src/names.ts'
import { panelSpecs } from '../src/query/panel-specs.ts'

// No attribute of core: set by applications, the name of an event, or that of a later version.
const optional = new Set<string>([
  names.USER_ID,
  names.BUFFERED_EVENT,
  names.PROTOCOL,
  names.OPERATION_ID,
  names.OPERATION_NAME,
  names.OPERATION_TYPE,
  names.OPERATION_OUTCOME,
])

test('every name that the views read is one that core emits', () => {
  // Generated from the schema of core.
  const reference = readFileSync(new URL('../../../docs/telemetry.md', import.meta.url), 'utf8')
  const emitted = new Set([...reference.matchAll(/^\| `([a-z_]+(?:\.[a-z_]+)+)`/gm)].map(([, name]) => name))
  expect(Object.values(names).filter((name) => !optional.has(name) && !emitted.has(name))).toEqual([])
  expect(panelSpecs.map(({ instrument }) => instrument).filter((name) => !emitted.has(name))).toEqual([])
})
