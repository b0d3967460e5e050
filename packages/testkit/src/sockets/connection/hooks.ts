import type { Span } from '@opentelemetry/api'
import { describe, expect, it } from 'vitest'
import { arounds, store } from '../../shared/around.ts'
import { pathOf } from '../../shared/path-of.ts'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

export function hookTests(harness: Harness, fixture: Fixture): void {
  const { route } = harness

  async function exchange(telemetry: Record<string, unknown>): Promise<void> {
    const { client } = await fixture.open({
      telemetry,
      connection(socket) {
        socket.onMessage((data) => socket.send(`re: ${data}`))
      },
    })
    client.send('hi')
    expect(await client.next()).toBe('re: hi')
    client.send('hi')
    expect(await client.next()).toBe('re: hi')
    await client.close(4000, 'bye')
    const closed = (): boolean => fixture.telemetry.names().some((name) => name.startsWith('close'))
    await fixture.telemetry.waitUntil(closed, 'the close')
    await fixture.settle()
  }
  const names = [
    `GET ${route}`,
    `close ${route}`,
    `open ${route}`,
    `process ${route}`,
    `process ${route}`,
    `send ${route}`,
    `send ${route}`,
  ]

  describe('hooks', () => {
    it.each(Object.keys(arounds))('around that %s: handlers run once and answer', async (which) => {
      let handled = 0
      const { client } = await fixture.open({
        telemetry: { around: arounds[which] },
        async connection(socket) {
          socket.onMessage(async (data) => {
            handled++
            socket.send(`re: ${data}`)
          })
        },
      })
      client.send('hi')
      expect(await client.next()).toBe('re: hi')
      await fixture.telemetry.waitForSpan(`process ${route}`)
      expect(handled).toBe(1)
    })

    it('around surrounds each handler', async () => {
      const infos: unknown[] = []
      const options = {
        around(run: () => unknown, { kind, name, route: of }: { kind: string; name?: string; route?: string }) {
          infos.push([kind, of, name])
          return store.run(`store of ${kind}`, run)
        },
        messageName: () => 'say',
      }
      const seen: unknown[] = []
      let closed: () => void = () => {}
      const isClosed = new Promise<void>((resolve) => {
        closed = resolve
      })
      const { client } = await fixture.open({
        telemetry: options,
        connection(socket) {
          seen.push(store.getStore())
          socket.onMessage(async () => {
            await null
            socket.send(`${store.getStore()}`)
          })
          socket.onClose(() => {
            seen.push(store.getStore())
            closed()
          })
        },
      })
      client.send('x')
      expect(await client.next()).toBe('store of message')
      await client.close(1000)
      await isClosed
      const { closeHandlers = true } = harness.capabilities
      expect(seen).toEqual(['store of open', closeHandlers ? 'store of disconnect' : undefined])
      expect(infos).toEqual([
        ['open', route, undefined],
        ['message', route, 'say'],
        ...(closeHandlers ? [['disconnect', route, undefined]] : []),
      ])
    })

    it('are called with the documented arguments and add attributes to the spans', async () => {
      const seen: unknown[] = []
      await exchange({
        onHandshake(span: Span, request: { url?: string }) {
          seen.push(['handshake', pathOf(request)])
          span.setAttribute('direct', true)
          return { tenant: 't1' }
        },
        onMessage(_span: Span, message: { direction: string; data: unknown; binary: boolean; connectionId: string }) {
          seen.push([message.direction, String(message.data), message.binary, message.connectionId.length])
          return { channel: message.direction }
        },
        onClose(_span: Span, close: Record<string, unknown>) {
          const { connectionId, duration, ...rest } = close
          seen.push(['close', rest, typeof connectionId, typeof duration])
          return { why: 'because' }
        },
      })
      expect(seen).toEqual([
        ['handshake', '/chat/lobby'],
        ['receive', 'hi', false, 16],
        ['send', 're: hi', false, 16],
        ['receive', 'hi', false, 16],
        ['send', 're: hi', false, 16],
        ['close', { code: 4000, category: 'application', initiator: 'remote', reason: 'bye' }, 'string', 'number'],
      ])
      expect(fixture.telemetry.span(`GET ${route}`).attributes).toMatchObject({ direct: true, tenant: 't1' })
      expect(fixture.telemetry.span(`close ${route}`).attributes.why).toBe('because')
      expect(fixture.telemetry.spans(`process ${route}`).map((span) => span.attributes.channel)).toEqual([
        'receive',
        'receive',
      ])
      expect(fixture.telemetry.spans(`send ${route}`).map((span) => span.attributes.channel)).toEqual(['send', 'send'])
    })

    it.each([
      'onHandshake',
      'onMessage',
      'onClose',
      'messageName',
      'messageContext',
      'ignore',
      'route',
      'remoteContext',
    ])('that throw are logged once and change nothing: %s', async (hook) => {
      const error = new Error(`${hook} is broken`)
      await exchange({
        [hook]() {
          throw error
        },
      })
      const expected =
        hook === 'route' && harness.capabilities.routeOption ? names.map((name) => name.split(' ')[0]) : names
      expect(fixture.telemetry.names()).toEqual(expected)
      expect(fixture.telemetry.diagnostics.filter((line) => line.includes(`${hook} is broken`))).toHaveLength(
        hook === 'route' && !harness.capabilities.routeOption ? 0 : 1,
      )
    })

    it('that return rejected promises change nothing', async () => {
      const reject = async (): Promise<never> => {
        throw new Error('async hook is broken')
      }
      await exchange({ onHandshake: reject, onMessage: reject, onClose: reject })
      expect(fixture.telemetry.names()).toEqual(names)
    })

    it('that return nonsense change nothing', async () => {
      await exchange({ onHandshake: () => 'text', onMessage: () => 42, onClose: () => [] })
      expect(fixture.telemetry.names()).toEqual(names)
    })
  })
}
