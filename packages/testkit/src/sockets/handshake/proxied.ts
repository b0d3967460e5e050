import { describe, expect, it } from 'vitest'
import type { Fixture } from '../fixture.ts'
import type { Harness } from '../harness.ts'

const NAMES = ['url.scheme', 'server.address', 'server.port', 'client.address', 'client.port', 'network.peer.address']

export function proxiedTests(harness: Harness, fixture: Fixture): void {
  const name = `GET ${harness.route}`
  const forwarded = {
    'x-forwarded-for': '198.51.100.9, 203.0.113.7, 10.0.0.1',
    'x-forwarded-proto': 'https',
    'x-forwarded-host': 'chat.example.com',
  }

  async function handshake(telemetry: Record<string, unknown>, headers: Record<string, string>) {
    const { client } = await fixture.open({ telemetry, client: { headers } })
    const { attributes } = await fixture.telemetry.waitForSpan(name)
    await client.close(1000)
    return NAMES.map((each) => attributes[each])
  }

  /** The address of the socket, on hosts that know it. */
  const peer = harness.capabilities.peerAddress ? '127.0.0.1' : undefined

  describe('handshake behind a proxy', () => {
    it('is described by the socket as long as no proxy is trusted: anybody can write the headers', async () => {
      const [scheme, address, , client, , proxy] = await handshake({}, forwarded)
      expect([scheme, address, client, proxy]).toEqual([
        harness.capabilities.trustsProto ? 'wss' : 'ws',
        '127.0.0.1',
        peer,
        undefined,
      ])
    })

    it.each([
      ['every proxy', true, forwarded, ['wss', 'chat.example.com', undefined, '198.51.100.9', undefined, peer]],
      ['one proxy', 1, forwarded, ['wss', 'chat.example.com', undefined, '10.0.0.1', undefined, peer]],
      ['two proxies', 2, forwarded, ['wss', 'chat.example.com', undefined, '203.0.113.7', undefined, peer]],
      [
        'one that writes Forwarded',
        true,
        { forwarded: 'For="[2001:db8::17]:4711";proto=https;host="chat.example.com:8443", for=10.0.0.1;proto=http' },
        ['wss', 'chat.example.com', 8443, '2001:db8::17', 4711, peer],
      ],
      [
        'one that writes a port',
        true,
        { 'x-forwarded-for': '203.0.113.7:4711', 'x-forwarded-host': 'a.example', 'x-forwarded-port': '8443' },
        ['ws', 'a.example', 8443, '203.0.113.7', 4711, peer],
      ],
      [
        'one that hides the client and writes nonsense',
        true,
        { 'x-forwarded-for': 'unknown', 'x-forwarded-proto': 'x'.repeat(99), 'x-forwarded-host': 'x'.repeat(5000) },
        ['ws', 'x'.repeat(261), undefined, peer, expect.anything(), undefined],
      ],
    ])('is that of the original request with trust in %s', async (_, trustProxy, headers, expected) => {
      const seen = await handshake({ trustProxy }, headers as Record<string, string>)
      if (peer === undefined) {
        expect(seen.slice(0, 3)).toEqual(expected.slice(0, 3))
      } else expect(seen).toEqual(expected)
    })
  })
}
