import { describe, expect, it } from 'vitest'
import { readDeclarations } from '../docs/schema-source.ts'
import { describeTelemetry } from '../docs/telemetry.ts'

const SCHEMA = `
/** Not exported: no part of the reference. */
const BUCKETS = [1, 2]
/** Id of the
 * connection. @on all spans, metrics */
export const ATTR_ID = 'x.id'
/** \`a\` | \`b\`. @on close */
export const ATTR_KIND = 'x.kind'
/** With option \`some\` only. @attributes id, \`error.type\` */
export const METRIC_TIME = { name: 'x.time', type: 'histogram', unit: 's', description: 'Time.', buckets: BUCKETS }
`

const VALUES = {
  ATTR_ID: 'x.id',
  ATTR_KIND: 'x.kind',
  METRIC_TIME: { name: 'x.time', type: 'histogram', unit: 's', description: 'Time.', buckets: [1, 2] },
}

const describeSource = (source: string, values: Record<string, unknown> = VALUES): string =>
  describeTelemetry(readDeclarations(source), values)

describe('the telemetry reference', () => {
  it('takes names from the values, and texts and places from the comments', () => {
    const lines = describeSource(SCHEMA).split('\n')
    expect(lines).toContain('| `x.id` | all spans, metrics | Id of the connection. |')
    expect(lines).toContain('| `x.kind` | close | `a` \\| `b`. |')
    expect(lines).toContain('| `x.time` | histogram | `s` | id, `error.type` | Time. With option `some` only. |')
    expect(lines).toContain('| 1, 2 s | `x.time` |')
    expect(lines.join('\n')).not.toContain('Not exported')
  })

  it.each([
    [
      'a place that does not exist',
      "/** Text. @on closing */\nexport const ATTR_ID = 'x.id'",
      '@on closing is unknown',
    ],
    ['an attribute without a place', "/** Text. */\nexport const ATTR_ID = 'x.id'", 'ATTR_ID has no tag @on'],
    ['an attribute without a text', "/** @on close */\nexport const ATTR_ID = 'x.id'", 'ATTR_ID has no comment'],
    [
      'a metric without attributes',
      '/** Text. */\nexport const METRIC_TIME = {}',
      'METRIC_TIME has no tag @attributes',
    ],
  ])('refuses %s', (_, source, message) => {
    expect(() => describeSource(source)).toThrow(message)
  })

  it('refuses a constant that is no instrument', () => {
    expect(() => describeSource(SCHEMA, { ...VALUES, METRIC_TIME: 1 })).toThrow('METRIC_TIME is not an instrument')
  })
})
