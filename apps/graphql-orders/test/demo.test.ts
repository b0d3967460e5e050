import {
  type DemoProcess,
  expectNothingLost,
  expectPairedKinds,
  expectPlainLines,
  type Row,
  SpanReceiver,
  useDemo,
} from '@otel-ws/demo-kit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { REPORT_TIME } from '../src/schema.ts'

const LIMIT = 60_000
const demo = useDemo()

describe('demo', () => {
  let run: DemoProcess
  let receiver: SpanReceiver
  let rows: Row[]
  const named = (name: string) => rows.filter((row) => row.name === name)

  beforeAll(async () => {
    receiver = await SpanReceiver.listen()
    run = demo(['graphql', '--port', '0', '--metrics', '1s'], receiver.env)
    await run.stopOncePrinted(
      / process GetOrder /,
      / process Report /,
      / process PlaceOrder /,
      / process Stock /,
      / process Report .*cancelled/,
    )
    rows = run.rows()
    receiver.close()
  }, LIMIT)

  it('has drained and lost nothing', () => expectNothingLost(run))

  it('leaves no edge of a service graph without a partner', () => expectPairedKinds(receiver.spans))

  it('shows the true duration of the slow query at both ends, with the work of the resolver below it', () => {
    const reports = named('process Report').filter((row) => !row.details.includes('cancelled'))
    expect(reports).not.toEqual([])
    for (const { duration, kind } of reports) {
      expect(kind).toBe('SERVER')
      expect(duration).toBeGreaterThanOrEqual(REPORT_TIME - 2)
    }
    expect(named('send Report').every((row) => row.kind === 'CLIENT')).toBe(true)
    const traces = named('process Report').map((row) => row.trace)
    expect(named('SELECT report').every((row) => traces.includes(row.trace))).toBe(true)
  })

  it('shows the failing query by its code', () => {
    expect(named('process Stock')).not.toEqual([])
    for (const { details } of named('process Stock')) expect(details).toMatch(/^ERROR .*WAREHOUSE_DOWN/)
  })

  it('shows the query that its user has cancelled', () => {
    expect(named('process Report').some((row) => row.details.includes('cancelled'))).toBe(true)
  })

  it('shows one line for the end of each subscription, at both ends, with its items', () => {
    const completes = named('complete Prices')
    expect(completes).toHaveLength(named('process Prices').length * 2)
    for (const { details } of completes) expect(details).toMatch(/\d+ items/)
  })

  it('keeps its lines short, and plain where no terminal is', () => expectPlainLines(run))
})
