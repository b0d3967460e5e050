import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { carrierIn, carrierRoom } from '../src/carrier-room.ts'

describe('the room that stands for a carrier', () => {
  it('comes back as the carrier, among whatever other rooms', () => {
    const room = fc.string().filter((name) => !name.startsWith('otel-ws:'))
    const carrier = fc.record({ sentAt: fc.nat(), traceparent: fc.string(), baggage: fc.string() })
    fc.assert(
      fc.property(fc.array(room), fc.array(room), carrier, (before, after, sent) => {
        expect(carrierIn(new Set([...before, carrierRoom(sent), ...after]))).toEqual(sent)
        expect(carrierIn([...before, ...after])).toBeUndefined()
      }),
    )
  })

  it('is never thrown on', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.anything(),
            fc.string().map((text) => `otel-ws:${text}`),
          ),
        ),
        (rooms) => {
          carrierIn(rooms)
        },
      ),
    )
    expect(carrierIn(undefined)).toBeUndefined()
  })
})
