import { beforeAll, describe, expect, it } from 'vitest'
import { LOOK_UP_TIME, ROOM_ROUTE } from '../room-users.ts'
import type { DemoProcess, Row } from './demo-process.ts'
import { expectPairedKinds } from './service-graph.ts'
import { SpanReceiver } from './span-receiver.ts'
import { expectNothingLost, expectPlainLines, useDemo } from './use-demo.ts'

const LIMIT = 60_000

/** Declares the tests of a demo whose users are those of `startRoomUsers`. */
export function roomDemoSuite(name: string): void {
  const demo = useDemo()

  describe(`demo ${name}`, () => {
    let run: DemoProcess
    let receiver: SpanReceiver
    let rows: Row[]
    const named = (name: string) => rows.filter((row) => row.name === name)

    beforeAll(async () => {
      receiver = await SpanReceiver.listen()
      run = demo([name, '--port', '0', '--metrics', '1s'], receiver.env)
      await run.stopOncePrinted(
        / process look up /,
        / process translate .*ERROR/,
        / broadcast said /,
        / GET .*401/,
        / close .*1006 /,
      )
      rows = run.rows()
      receiver.close()
    }, LIMIT)

    it('has drained and lost nothing', () => expectNothingLost(run))

    it('leaves no edge of a service graph without a partner', () => expectPairedKinds(receiver.spans))

    it('shows the true duration of the slow handler, with its work, in the trace of the client', () => {
      const slow = named('process look up')
      expect(slow).not.toEqual([])
      for (const { duration } of slow) expect(duration).toBeGreaterThanOrEqual(LOOK_UP_TIME - 2)
      const traces = (name: string) => new Set(named(name).map((row) => row.trace))
      expect(traces('process look up')).toEqual(traces('send look up'))
      expect(traces('read history')).toEqual(traces('process look up'))
    })

    it('shows the failing handler by the type of its error', () => {
      for (const { details } of named('process translate')) expect(details).toMatch(/^ERROR .*TranslationUnavailable/)
    })

    it('shows handshakes by their route, also the rejected ones', () => {
      const handshakes = named(`GET ${ROOM_ROUTE}`)
      expect(handshakes.some(({ details }) => details.includes('401'))).toBe(true)
      expect(handshakes.some(({ details }) => details.includes('101'))).toBe(true)
    })

    it('keeps its lines short, and plain where no terminal is', () => expectPlainLines(run))
  })
}
