import { traceWebSocket } from '@otel-ws/client'
import { type Fault, FaultySdk } from '@otel-ws/testkit'
import { describe, expect, it } from 'vitest'
import { scripts as pageScripts } from './browser/scripts.ts'
import { type ClientKind, kinds } from './clients.ts'
import { useServer } from './server.ts'
import { scripts as wsScripts } from './ws-scripts.ts'

/** What needs a page: events of the window. */
const PAGE_ONLY = ['listeners that throw, and promises that reject']

/** What an application does with a client of that kind. */
const scriptsOf = ({ name }: ClientKind) =>
  name === 'ws'
    ? wsScripts
    : Object.fromEntries(Object.entries(pageScripts).filter(([script]) => !PAGE_ONLY.includes(script)))

describe.each(kinds)('an application with $name', (kind) => {
  const { connect } = kind
  const scripts = scriptsOf(kind)

  const fixture = useServer((wss) => {
    wss.on('connection', (socket) => socket.on('message', (data, binary) => socket.send(data, { binary })))
  })

  async function sameWithAndWithout(script: string): Promise<void> {
    const run = async (traced: boolean): Promise<unknown[]> => {
      const transcript: unknown[] = []
      const open = (): WebSocket => (traced ? traceWebSocket(connect(fixture.url)) : connect(fixture.url))
      await scripts[script]?.(open, (...entry) => transcript.push(entry))
      return transcript
    }
    const expected = await run(false)
    expect(expected.length).toBeGreaterThan(0)
    expect(await run(true)).toEqual(expected)
  }

  describe.each<Fault>(['throws first', 'throws afterwards'])('with an SDK that %s', (fault) => {
    it.each(Object.keys(scripts))('does not notice: %s', async (script) => {
      await fixture.telemetry.uninstall()
      const sdk = new FaultySdk(fault)
      sdk.install()
      try {
        await sameWithAndWithout(script)
        expect(sdk.faults).toBeGreaterThan(0)
      } finally {
        await sdk.uninstall()
      }
    })
  })

  it.each(Object.keys(scripts))('does not notice: %s', async (script) => {
    await sameWithAndWithout(script)
    expect(fixture.telemetry.spans('connect').length).toBeGreaterThan(0)
  })
})
