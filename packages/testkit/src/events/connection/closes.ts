import { SpanKind, SpanStatusCode } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import {
  answerClose,
  CLOSE_CASE_LIMIT,
  type CloseCase,
  closeCases,
  remoteCloseCases,
} from '../../sockets/connection/close-cases.ts'
import type { CloseFacts } from '../../sockets/harness.ts'
import { linkTo } from '../../testing/spans.ts'
import { placeOf } from '../expectations.ts'
import type { EventFixture } from '../fixture.ts'
import type { EventCloseCase, EventHarness, EventSocket } from '../harness.ts'

export function closeTests(harness: EventHarness, fixture: EventFixture): void {
  const { names, closes, capabilities, hostSocket } = harness
  const name = `close ${names.route}`

  /** The three ends that every host has, and those of this one. */
  const cases: Readonly<Record<string, EventCloseCase>> = {
    leave: { ...closes.leave, act: ({ client }) => client.leave() },
    disconnect: { ...closes.disconnect, act: ({ socket }) => socket.disconnect() },
    abort: { ...closes.abort, act: ({ client }) => client.abort() },
    ...harness.closeCases,
  }

  /** One close span and one value of the duration metric, both with these facts. */
  async function expectClose({ code, category, initiator, error }: CloseFacts): Promise<void> {
    const facts = {
      'websocket.close.code': code,
      'websocket.close.category': category,
      'websocket.close.initiator': initiator,
    }
    const span = await fixture.telemetry.waitForSpan(name)
    expect(span.kind).toBe(SpanKind.INTERNAL)
    expect(span.parentSpanContext).toBeUndefined()
    // A close in a handler has a second link, to its span.
    const links = span.links.filter((link) => link.attributes?.['websocket.link.kind'] !== 'cause')
    expect(links).toEqual([linkTo(fixture.telemetry.span(names.handshake))])
    expect(span.attributes).toMatchObject({ ...placeOf(harness), ...facts })
    expect(span.attributes['error.type']).toBe(error ? category : undefined)
    expect(span.attributes['websocket.connection.duration']).toBeGreaterThan(0)
    expect(span.status.code).toBe(error ? SpanStatusCode.ERROR : SpanStatusCode.UNSET)
    await fixture.settle()
    expect(fixture.telemetry.spans(name)).toHaveLength(1)
    const label = code >= 4000 ? '4xxx' : code >= 3000 ? '3xxx' : code
    const rows = await fixture.telemetry.collect('websocket.server.connection.duration')
    expect(rows).toMatchObject([
      { count: 1, attributes: { ...placeOf(harness), ...facts, 'websocket.close.code': label } },
    ])
  }

  describe('close', () => {
    it.each(Object.keys(cases))('has totals and the true code, category and initiator: %s', async (which) => {
      const { act, reason, ...facts } = cases[which] as EventCloseCase
      const { host, client, connection, socket } = await fixture.open({
        telemetry: { closeReason: true },
        maxMessageSize: CLOSE_CASE_LIMIT,
        events: { hello: (from) => from.emit('answer') },
      })
      client.emit('hello')
      await client.next()
      act({ host, client, socket })
      await expectClose(facts)
      const { attributes } = fixture.telemetry.span(name)
      expect(attributes).toMatchObject({
        'websocket.connection.id': connection.id,
        'websocket.connection.messages.received': 1,
        'websocket.connection.messages.sent': 1,
        'websocket.connection.bytes.received': harness.size('client', 'hello'),
        'websocket.connection.bytes.sent': harness.size('server', 'answer'),
      })
      if (reason !== undefined) expect(attributes['websocket.close.reason']).toBe(reason)
    })

    const wireCases = capabilities.frames ? (hostSocket === undefined ? remoteCloseCases : closeCases) : {}
    it.each(Object.keys(wireCases))('has the true code, category and initiator: %s', async (which) => {
      const { act, reportedByWs: _, ...facts } = wireCases[which] as CloseCase
      let accepted: (socket: EventSocket) => void = () => {}
      const connected = new Promise<EventSocket>((resolve) => {
        accepted = resolve
      })
      const host = await fixture.serve({ maxMessageSize: CLOSE_CASE_LIMIT, connection: (socket) => accepted(socket) })
      const peer = await host.rawConnect?.()
      if (peer === undefined) throw new Error('the harness declares capability frames, but its host has no rawConnect')
      const socket = await connected
      void answerClose(peer)
      // The cases of an application's own close are run only where there is such a socket.
      act(peer, hostSocket?.(socket) as NonNullable<ReturnType<NonNullable<typeof hostSocket>>>)
      await expectClose(facts)
    })

    it('by the application in a handler is linked to the span of the message', async () => {
      const { client } = await fixture.open({ events: { hello: (from) => from.disconnect() } })
      client.emit('hello')
      const span = await fixture.telemetry.waitForSpan(name)
      const process = await fixture.telemetry.waitForSpan('process hello')
      const handshake = fixture.telemetry.span(names.handshake)
      expect(span.links).toEqual([linkTo(handshake), linkTo(process, 'cause')])
    })

    it('by a host that goes down is one span per connection', async () => {
      const host = await fixture.serve({ connection() {} })
      const clients = [await fixture.connect(host), await fixture.connect(host), await fixture.connect(host)]
      await fixture.telemetry.waitForSpan(`open ${names.route}`, 3)
      await fixture.settle()
      await Promise.all(clients.map(({ closed }) => closed))
      const initiators = fixture.telemetry.spans(name).map((span) => span.attributes['websocket.close.initiator'])
      expect(initiators).toEqual(['local', 'local', 'local'])
    })

    it('is an error in the categories of option closeErrors', async () => {
      const { client } = await fixture.open({ telemetry: { closeErrors: [closes.leave.category] } })
      await client.leave()
      const span = await fixture.telemetry.waitForSpan(name)
      expect(span.status.code).toBe(SpanStatusCode.ERROR)
      expect(span.attributes['error.type']).toBe(closes.leave.category)
    })
  })
}
