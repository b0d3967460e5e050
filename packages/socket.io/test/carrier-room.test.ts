import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { carrierRoom, findCarrier } from '../src/carrier-room.ts'

describe('the room that encodes a carrier', () => {
  it('decodes to the carrier, among any other rooms', () => {
    const room = fc.string().filter((name) => !name.startsWith('otel-ws:'))
    const carrier = fc.record({ sentAt: fc.nat(), traceparent: fc.string(), baggage: fc.string() })
    fc.assert(
      fc.property(fc.array(room), fc.array(room), carrier, (before, after, sent) => {
        expect(findCarrier(new Set([...before, carrierRoom(sent), ...after]))).toEqual(sent)
        expect(findCarrier([...before, ...after])).toBeUndefined()
      }),
    )
  })

  it('never throws for what other nodes send', () => {
    fc.assert(
      fc.property(
        fc.array(
          fc.oneof(
            fc.anything(),
            fc.string().map((text) => `otel-ws:${text}`),
          ),
        ),
        (rooms) => {
          findCarrier(rooms)
        },
      ),
    )
    expect(findCarrier(undefined)).toBeUndefined()
  })
})
