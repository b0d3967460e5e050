import {
  type DemoProcess,
  expectNothingLost,
  expectPlainLines,
  expectPortTaken,
  interrupt,
  type Row,
  useDemo,
} from '@otel-ws/demo-kit/testing'
import { beforeAll, describe, expect, it } from 'vitest'

const LIMIT = 60_000
const demo = useDemo('nestjs', '--port', '0')

describe('demo nestjs', () => {
  let run: DemoProcess
  let rows: Row[]
  const named = (name: string) => rows.filter((row) => row.name === name)
  /** The rows of a trace, by the short id that its first row has. */
  const traceOf = (trace: string) => rows.filter((row) => row.trace === trace)
  const errors = (name: string) =>
    new Set(named(name).flatMap(({ details }) => /^(?:ERROR |refused: )(\w+)/.exec(details)?.[1] ?? []))

  beforeAll(async () => {
    run = demo(['--metrics', '1s', '--no-viewer'])
    await run.stopOncePrinted(
      / process listen .*refused: unauthenticated/,
      / process listen .*refused: busy/,
      / process listen .*refused: unintelligible/,
      / process listen .*refused: not_understood/,
      / process audio .*refused: bad_frame/,
      / process history .*refused: plan_required/,
      /( items, first after \d.*\n(.*\n)*?.*){5}/,
      / send audio /,
      / send \/assistant /,
    )
    rows = run.rows()
  }, LIMIT)

  it('has drained and lost nothing', () => expectNothingLost(run))

  it('says where its sockets are', () => {
    expect(run.stdout).toMatch(
      /^nestjs-assistant {2}ws:\/\/127\.0\.0\.1:\d+\/assistant {2}http:\/\/127\.0\.0\.1:\d+\/assistant /m,
    )
  })

  it('shows one trace per utterance, from the first chunk to the last, on both platforms', () => {
    const answered = named('utterance').filter(({ trace }) => traceOf(trace).some(({ name }) => name === 'send done'))
    expect(answered.length).toBeGreaterThanOrEqual(4)
    const audio = new Set<string>()
    for (const { trace, depth } of answered) {
      expect(depth).toBe(0)
      const count = (name: string) => traceOf(trace).filter((row) => row.name === name).length
      for (const name of ['process listen', 'receive audio', 'answer', 'transcribe', 'understand', 'act', 'speak']) {
        expect([name, count(name)]).toEqual([name, 1])
      }
      expect([count('think'), count('note')]).toEqual([1, 1])
      expect(count('process audio')).toBeGreaterThanOrEqual(3)
      const spoken = count('send audio') > 0 ? 'send audio' : 'send /assistant'
      expect(count(spoken)).toBe(count('send token'))
      audio.add(spoken)
    }
    expect(audio).toEqual(new Set(['send audio', 'send /assistant']))
    // What a guard refuses is never listened to.
    for (const { trace, details } of named('utterance')) {
      const received = traceOf(trace).filter(({ name }) => name === 'receive audio')
      expect(received).toHaveLength(details.startsWith('ERROR unauthenticated: ') ? 0 : 1)
    }
  })

  it("shows the stream's figures on the process span", () => {
    for (const { details } of named('process listen')) {
      if (/^(ERROR|refused)/.test(details) || details.includes('stream cancelled')) continue
      if (!details.includes(' items, ')) expect(details).toMatch(/^#\d+, \d+ B, 0 items/)
    }
    expect(
      named('process listen').filter(({ details }) => / items, first after \d/.test(details)).length,
    ).toBeGreaterThanOrEqual(4)
  })

  it('shows guard denials and exceptions as errors with their codes', () => {
    expect(errors('process listen')).toEqual(new Set(['unauthenticated', 'busy', 'unintelligible', 'not_understood']))
    expect([...errors('process audio')]).toContain('bad_frame')
    expect(errors('process history')).toEqual(new Set(['plan_required']))
    expect(errors('transcribe')).toEqual(new Set(['unintelligible']))
    expect(errors('understand')).toEqual(new Set(['not_understood']))
  })

  it("shows one close record for each connection, and one for each client's end that is traced", () => {
    const handshakes = named('GET /assistant').filter(({ details }) => details.startsWith('101 accepted'))
    const closes = rows.filter(({ name }) => name.startsWith('close /'))
    expect(closes).toHaveLength(handshakes.length + named('connect /assistant').length)
  })

  it('keeps its lines short, and plain where no terminal is', () => expectPlainLines(run))
})

describe('demo nestjs, from start to end', () => {
  it(
    'drains and loses nothing when it is interrupted, and its viewer knows what was printed',
    async () => {
      const run = demo()
      await run.printed(/ process listen .*stream cancelled/)
      const url = /^viewer +(http:\S+)/m.exec(run.stdout)?.[1] as string
      expect((await fetch(url)).status).toBe(200)
      await interrupt(run)
    },
    LIMIT,
  )

  it('says so when its port is taken', () => expectPortTaken(demo, 'nestjs-assistant'))
})
