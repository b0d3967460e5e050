import { createTraceState, TraceFlags } from '@opentelemetry/api'
import { expect, test } from 'vitest'
import { isSampled, packIds, unpackIds } from '../src/connection/handshake-ids.ts'

const traceId = '0af7651916cd43dd8448eb211c80319c'
const spanId = 'b7ad6b7169203331'

test.each(Array.from({ length: 256 }, (_, traceFlags) => ({ traceFlags })))(
  'ids and flags $traceFlags come back as they were',
  ({ traceFlags }) => {
    const packed = packIds({ traceId, spanId, traceFlags })
    expect(packed).toBeTypeOf('string')
    expect(unpackIds(packed)).toEqual({ traceId, spanId, traceFlags })
    expect(isSampled(packed)).toBe((traceFlags & TraceFlags.SAMPLED) !== 0)
  },
)

test.each([
  { traceId, spanId, traceFlags: 1, traceState: createTraceState('vendor=1') },
  { traceId: 'ffff', spanId, traceFlags: 0 },
  { traceId, spanId: 'ff', traceFlags: 1 },
])('what does not fit is kept whole', (context) => {
  expect(packIds(context)).toBe(context)
  expect(unpackIds(context)).toBe(context)
  expect(isSampled(context)).toBe(context.traceFlags === 1)
})
