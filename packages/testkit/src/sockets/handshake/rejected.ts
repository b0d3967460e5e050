import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { delay, SLACK } from '../../shared/durations.ts'
import { milliseconds } from '../../testing/spans.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function rejectedTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness
  const name = `GET ${route}`

  describe('rejected handshake', () => {
    it.each([
      [401, SpanStatusCode.UNSET],
      [403, SpanStatusCode.UNSET],
      [429, SpanStatusCode.UNSET],
      [503, SpanStatusCode.ERROR],
    ])('by the application with %i has that status', async (status, code) => {
      const host = await fixture.serve({ connection() {}, authorize: () => status })
      const client = fixture.upgrade(host)
      expect((await client.response).status).toBe(status)
      await client.closed
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.handshake.outcome']).toBe('rejected')
      expect(span.attributes['http.response.status_code']).toBe(status)
      expect(span.status.code).toBe(code)
      expect(span.attributes['error.type']).toBe(code === SpanStatusCode.ERROR ? String(status) : undefined)
    })

    it('by the application later covers the time until then', async () => {
      const host = await fixture.serve({
        connection() {},
        async authorize() {
          await delay(30)
          return 401
        },
      })
      const client = fixture.upgrade(host)
      expect((await client.response).status).toBe(401)
      await client.closed
      expect(milliseconds(await fixture.telemetry.waitForSpan(name))).toBeGreaterThanOrEqual(30 - SLACK)
    })

    it('is counted with its outcome and status', async () => {
      const status = 401
      const host = await fixture.serve({ connection() {}, authorize: () => status })
      const client = fixture.upgrade(host)
      await client.response
      await client.closed
      await fixture.telemetry.waitForSpan(name)
      const rows = await fixture.telemetry.collect('websocket.server.handshake.duration')
      expect(rows.map(({ type, unit, count, attributes }) => ({ type, unit, count, attributes }))).toEqual([
        {
          type: 'histogram',
          unit: 's',
          count: 1,
          attributes: {
            'websocket.route': route,
            'websocket.handshake.outcome': 'rejected',
            'http.response.status_code': status,
          },
        },
      ])
    })

    if (!harness.capabilities.seesAnswers) return
    it.each([
      ['an unknown version', { headers: { 'sec-websocket-version': '7' } }],
      ['no key', { headers: { 'sec-websocket-key': undefined } }],
      ['a malformed key', { headers: { 'sec-websocket-key': 'short' } }],
      ['a malformed subprotocol', { headers: { 'sec-websocket-protocol': 'a,,b' } }],
    ] as const)('with %s has the status of the answer', async (_what, options) => {
      const host = await fixture.serve({ connection() {} })
      const client = fixture.upgrade(host, options)
      const { status } = await client.response
      expect(Math.floor(status / 100)).toBe(4)
      await client.closed
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.kind).toBe(SpanKind.SERVER)
      expect(span.attributes).toMatchObject({
        'websocket.handshake.outcome': 'rejected',
        'http.response.status_code': status,
        'http.request.method': 'GET',
      })
      expect(span.status.code).toBe(SpanStatusCode.UNSET)
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([name])
    })
  })

  if (!harness.capabilities.seesAnswers) return
  describe('abandoned handshake', () => {
    it('is one without an answer when its client leaves', async () => {
      let reached: () => void = () => {}
      const undecided = new Promise<void>((resolve) => {
        reached = resolve
      })
      const host = await fixture.serve({
        connection() {},
        authorize() {
          reached()
          return new Promise(() => {})
        },
      })
      const client = fixture.upgrade(host)
      await undecided
      client.reset()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.attributes['websocket.handshake.outcome']).toBe('abandoned')
      expect(span.attributes).not.toHaveProperty('http.response.status_code')
      const rows = await fixture.telemetry.collect('websocket.server.handshake.duration')
      expect(rows.map(({ count, attributes }) => ({ count, attributes }))).toEqual([
        { count: 1, attributes: { 'websocket.route': route, 'websocket.handshake.outcome': 'abandoned' } },
      ])
      await fixture.settle()
      expect(fixture.telemetry.names()).toEqual([name])
    })
  })
}
