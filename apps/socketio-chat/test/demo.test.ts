import {
  type DemoProcess,
  expectNothingLost,
  expectPairedKinds,
  interrupt,
  type Row,
  SpanReceiver,
  useDemo,
} from '@otel-ws/demo-kit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { SEARCH_TIME } from '../src/server.ts'

const LIMIT = 120_000
/** Events that wait for an acknowledgement, most of them of clients without telemetry. */
const QUESTIONS = /^process (enter|poll|search|whisper)$/
const demo = useDemo('socketio', '--port', '0', '--no-viewer')

/** The node that a row comes from. */
function nodeOf({ details }: Row): string | undefined {
  return /\bnode-\d/.exec(details)?.[0]
}

/** The rows that stand directly below a row. */
function below(rows: readonly Row[], row: Row): Row[] {
  const found: Row[] = []
  for (const next of rows.slice(rows.indexOf(row) + 1)) {
    if (next.depth <= row.depth || next.trace !== row.trace) break
    if (next.depth === row.depth + 1) found.push(next)
  }
  return found
}

describe.each(['cluster', 'redis', 'postgres'])('demo socketio --adapter %s', (adapter) => {
  let run: DemoProcess
  let receiver: SpanReceiver
  let rows: Row[]
  const named = (name: string) => rows.filter((row) => row.name === name)

  beforeAll(async () => {
    receiver = await SpanReceiver.listen()
    run = demo(['--metrics', '1s', ...(adapter === 'cluster' ? [] : ['--adapter', adapter])], receiver.env)
    await run.stopOncePrinted(
      / deliver announced .*\n.* deliver announced /,
      / broadcast vote /,
      / process search /,
      / deliver words .*\n.* read words /,
      / CONNECT \/ .*rejected/,
      / metrics +[1-9]\d* open /,
    )
    rows = run.rows()
    receiver.close()
  }, LIMIT)

  it('has drained and lost nothing', () => expectNothingLost(run))

  it('leaves no edge of a service graph without a partner', () => expectPairedKinds(receiver.spans, QUESTIONS))

  it('says where each node is', () => {
    expect(run.stdout).toMatch(/^socketio-chat(?: {2}http:\/\/127\.0\.0\.1:\d+){3} /m)
  })

  it('shows one broadcast with its deliveries in the processes of the other nodes', () => {
    const broadcasts = named('broadcast announced')
    expect(broadcasts.length).toBeGreaterThan(0)
    const whole = broadcasts.filter((row) => below(rows, row).length === 2)
    expect(whole.length).toBeGreaterThan(0)
    for (const broadcast of whole) {
      const deliveries = below(rows, broadcast)
      expect(deliveries.map(({ kind, name }) => `${kind} ${name}`)).toEqual([
        'INTERNAL deliver announced',
        'INTERNAL deliver announced',
      ])
      expect(new Set([broadcast, ...deliveries].map(nodeOf))).toEqual(new Set(['node-1', 'node-2', 'node-3']))
      expect(deliveries.every(({ details }) => / recipients?, lag [\d.]+ m?s, /.test(details))).toBe(true)
    }
  })

  it('shows questions to everybody, with the answers of all nodes', () => {
    const questions = named('broadcast vote')
    expect(questions.length).toBeGreaterThan(0)
    // The first ones meet somebody who never votes.
    for (const { details } of questions) expect(details).toMatch(/, ack (ok|timeout)$/)
  })

  it("shows the slow handler's true duration, and the failing one", () => {
    const searches = named('process search')
    expect(searches.length).toBeGreaterThan(0)
    // A timer may fire up to a millisecond early.
    for (const search of searches) expect(search.duration).toBeGreaterThanOrEqual(SEARCH_TIME - 1)
    for (const { details } of named('process translate'))
      expect(details).toMatch(/^ERROR TranslationUnavailable|ended by disconnect/)
  })

  it('shows messages between servers, with what their handlers do', () => {
    // The column is too narrow for the whole name.
    expect(rows.filter(({ name }) => name.startsWith('broadcast words')).length).toBeGreaterThan(0)
    const deliveries = rows.filter(({ name }) => name.startsWith('deliver words'))
    expect(deliveries.length).toBeGreaterThan(0)
    for (const delivery of deliveries) expect(below(rows, delivery).map(({ name }) => name)).toEqual(['read words'])
  })

  it('shows a rejected client', () => {
    expect(named('CONNECT /').some(({ details }) => /\brejected\b/.test(details))).toBe(true)
  })

  it('sums up the metrics of all nodes', () => {
    const summary = run.summary()
    expect(summary.get('websocket.server.connection.active')).toBe(0)
    const carried = rows.filter(({ name, details }) => name.startsWith('deliver ') && details.includes(', lag ')).length
    expect(summary.get('websocket.server.deliver.lag')).toBe(carried)
    expect(run.stdout).toMatch(/ metrics +[1-9]\d* open \| in +[\d.]+\/s \| /)
  })
})

describe('demo socketio --adapter redis --redis-outage', () => {
  it(
    'survives, loses no span of local work, and shows what happens',
    async () => {
      const run = demo(['--for', '6s', '--metrics', '10s', '--adapter', 'redis', '--redis-outage'], { REDIS_URL: '' })
      await expectNothingLost(run)
      const lines = run.stdout.split('\n')
      const killed = lines.findIndex((line) => line.endsWith('Redis is killed'))
      const started = lines.findIndex((line) => line.endsWith('Redis is restarted'))
      expect(killed).toBeGreaterThan(0)
      expect(started).toBeGreaterThan(killed)
      for (const node of ['node-1', 'node-2', 'node-3']) {
        expect(run.stdout).toContain(`${node}: connection to Redis lost`)
        expect(run.stdout).toContain(`${node}: connection to Redis restored`)
      }
      // Handlers and broadcasts continue; nothing reaches another node before Redis is restarted.
      const meanwhile = lines.slice(killed, started)
      expect(meanwhile.filter((line) => / {2}(?:└─ |├─ )?process say /.test(line)).length).toBeGreaterThan(0)
      const back = lines.slice(started)
      expect(back.filter((line) => line.includes('deliver ')).length).toBeGreaterThan(0)
    },
    LIMIT,
  )
})

describe('demo socketio', () => {
  it.each([
    [
      ['--adapter', 'carrier-pigeon'],
      "--adapter takes cluster, redis, postgres, not 'carrier-pigeon'\nTry: pnpm demo --help\n",
      2,
    ],
    [['--redis-outage'], 'socketio-chat could not start: --redis-outage needs --adapter redis\n', 1],
  ] as const)('refuses %j', async (args, message, code) => {
    const run = demo(args)
    expect(await run.exited).toBe(code)
    expect(run.stderr).toBe(message)
  })

  it(
    'drains when it is interrupted',
    async () => {
      const run = demo(['--metrics', '10s'])
      await run.printed(/deliver said/)
      await interrupt(run)
    },
    LIMIT,
  )
})
