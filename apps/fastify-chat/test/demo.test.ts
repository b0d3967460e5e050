import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import {
  type DemoProcess,
  expectNothingLost,
  expectPairedKinds,
  expectPlainLines,
  expectPortTaken,
  interrupt,
  type Row,
  SpanReceiver,
  useDemo,
} from '@otel-ws/demo-kit/testing'
import { beforeAll, describe, expect, it } from 'vitest'
import { SEARCH_TIME } from '../src/chat.ts'

const LIMIT = 60_000
const demo = useDemo()

describe('demo', () => {
  let run: DemoProcess
  let receiver: SpanReceiver
  let rows: Row[]
  const named = (name: string) => rows.filter((row) => row.name === name)
  const closes = () => named('close /chat/:room').map((row) => row.details)

  beforeAll(async () => {
    receiver = await SpanReceiver.listen()
    run = demo(['--port', '0', '--metrics', '1s'], receiver.env)
    await run.stopOncePrinted(
      / GET \/chat\/:room .*401 rejected/,
      / process search /,
      / process translate /,
      / process \/chat\/:room .*BadMessage/,
      / broadcast announced /,
      / broadcast said /,
      / send whispered /,
      / close .*4400 application/,
      / close .*1006 abnormal network, vanisher-1/,
      / close .*1006 timeout local, sleeper-1/,
      / close .*1009 too_big/,
      / metrics .*\n(.*\n)*.* metrics /,
    )
    rows = run.rows()
    receiver.close()
  }, LIMIT)

  it('has drained and lost nothing', () => expectNothingLost(run))

  it('leaves no edge of a service graph without a partner', () => expectPairedKinds(receiver.spans))

  it('says where its page is', () => {
    expect(run.stdout).toMatch(/^fastify-chat {2}http:\/\/127\.0\.0\.1:\d+ /m)
  })

  it('shows accepted and rejected handshakes', () => {
    const outcomes = named('GET /chat/:room').map((row) => `${row.kind} ${row.details}`)
    expect(new Set(outcomes)).toEqual(new Set(['SERVER 101 accepted', 'SERVER 401 rejected']))
  })

  it("shows the slow handler's true duration, with the application's own span below it", () => {
    const searches = named('process search')
    expect(searches).not.toEqual([])
    // A timer may fire up to a millisecond early.
    for (const search of searches) expect(search.duration).toBeGreaterThanOrEqual(SEARCH_TIME - 1)
    const histories = named('read history')
    expect(histories.map((row) => row.depth)).toEqual(searches.map(() => 1))
    expect(histories.map((row) => row.trace)).toEqual(searches.map((row) => row.trace))
  })

  it("shows the failing handler's error, and bad JSON", () => {
    const failures = named('process translate').map((row) => row.details)
    expect(failures).not.toEqual([])
    for (const failure of failures) expect(failure).toMatch(/^ERROR TranslationUnavailable: no answer/)
    const stammers = named('process /chat/:room').map((row) => row.details)
    expect(stammers).not.toEqual([])
    for (const stammer of stammers) expect(stammer).toMatch(/^ERROR BadMessage: not JSON/)
  })

  it('shows each broadcast as one span with its recipients', () => {
    const announcements = named('broadcast announced')
    expect(announcements).toHaveLength(named('process announce').length)
    for (const { kind, depth, details } of announcements) {
      expect(kind).toBe('INTERNAL')
      expect(depth).toBe(1)
      expect(Number(/^(\d+) recipients/.exec(details)?.[1])).toBeGreaterThanOrEqual(5)
    }
    expect(named('broadcast said').length).toBeGreaterThan(0)
    expect(named('send announced')).toEqual([])
  })

  it('shows private messages as a send below the message', () => {
    const whispers = named('process whisper').map((row) => row.trace)
    expect(whispers).not.toEqual([])
    expect(named('send whispered').map((row) => row.trace)).toEqual(whispers)
  })

  it('shows one close record for each accepted connection, with true codes', () => {
    expect(closes()).toHaveLength(named('GET /chat/:room').filter((row) => row.details === '101 accepted').length)
    const count = (pattern: RegExp) => closes().filter((details) => pattern.test(details)).length
    expect(count(/^1000 normal remote, (ada|grace|alan|edsger|barbara), /)).toBeGreaterThanOrEqual(5)
    expect(count(/^4400 application local, "not JSON"/)).toBeGreaterThanOrEqual(1)
    expect(count(/^1006 abnormal network, vanisher-1/)).toBe(1)
    expect(count(/^ERROR {2}1006 timeout local, sleeper-1/)).toBe(1)
    expect(count(/^ERROR {2}1009 too_big local, /)).toBeGreaterThanOrEqual(1)
  })

  it('links every later trace to the handshake of its connection, broadcasts of the server itself aside', () => {
    const handshakes = new Set(named('GET /chat/:room').map((row) => row.trace))
    for (const row of rows.filter(({ depth }) => depth === 0)) {
      if (/^(GET|broadcast) /.test(row.name)) expect(row.handshake).toBeUndefined()
      else expect(handshakes).toContain(row.handshake)
    }
  })

  it('prints lines of metrics while it runs', () => {
    const lines = run.stdout.split('\n').filter((line) => line.includes('  metrics '))
    expect(lines.length).toBeGreaterThanOrEqual(2)
    for (const line of lines)
      expect(line).toMatch(/ \d+ open \| in +[\d.]+\/s \| out +[\d.]+\/s \| .*, \d+ missed \| 0 slow$/)
  })

  it('ends with a summary that agrees with the traces', () => {
    const summary = run.summary()
    for (const [kind, name] of [
      ['SERVER', 'GET /chat/:room'],
      ['INTERNAL', 'process say'],
      ['INTERNAL', 'broadcast said'],
    ]) {
      const count = rows.filter((row) => row.name === name && row.kind === kind).length
      expect(summary.get(`${kind} ${name}`)).toBe(count)
    }
    const processed = rows.filter((row) => row.name.startsWith('process ')).length
    expect(summary.get('websocket.server.message.process.duration')).toBe(processed)
    expect(run.stdout).toMatch(new RegExp(`^ {2}websocket\\.server\\.messages .*receive ${processed}(,|$)`, 'm'))
    expect(summary.get('websocket.server.connection.duration')).toBe(closes().length)
    expect(summary.get('websocket.server.handshake.duration')).toBe(named('GET /chat/:room').length)
    expect(summary.get('websocket.server.connection.active')).toBe(0)
    expect(summary.get('websocket.server.ping.missed')).toBe(
      closes().filter((details) => details.includes('1006 timeout')).length,
    )
  })

  it('keeps its lines short, and plain where no terminal is', () => expectPlainLines(run))
})

describe('demo, from start to end', () => {
  it(
    'drains and loses nothing when it is interrupted, also when the signal comes twice',
    async () => {
      const run = demo(['--port', '0'])
      await run.printed(/ process search /)
      run.child.kill('SIGINT')
      await interrupt(run)
    },
    LIMIT,
  )

  it(
    'starts the viewer, which knows what was printed, or leaves it out',
    async () => {
      const run = demo(['--port', '0'])
      await run.printed(/ process search /)
      const url = /^viewer +(http:\S+)/m.exec(run.stdout)?.[1] as string
      const page = await fetch(url)
      expect(page.status).toBe(200)
      expect(await page.text()).toContain('otel-ws')
      run.child.kill('SIGINT')
      expect(await run.exited).toBe(0)
      await expect(fetch(url)).rejects.toThrow('fetch failed')

      const without = demo(['--port', '0', '--for', '500ms', '--no-viewer'])
      expect(await without.exited).toBe(0)
      expect(without.stdout).not.toContain('viewer')
    },
    LIMIT,
  )

  it(
    'exports everything to the endpoint in the environment too',
    async () => {
      let spans = 0
      const metrics = new Set<string>()
      const receiver = createServer((request, response) => {
        let body = ''
        request.on('data', (chunk) => {
          body += chunk
        })
        request.on('end', () => {
          const { resourceSpans = [], resourceMetrics = [] } = JSON.parse(body)
          for (const { scopeSpans } of resourceSpans) for (const scope of scopeSpans) spans += scope.spans.length
          for (const { scopeMetrics } of resourceMetrics) {
            for (const scope of scopeMetrics) for (const { name } of scope.metrics) metrics.add(name)
          }
          response.setHeader('content-type', 'application/json').end('{}')
        })
      })
      await new Promise<void>((resolve) => receiver.listen(0, '127.0.0.1', resolve))
      const { port } = receiver.address() as AddressInfo
      try {
        const run = demo(['--for', '1s', '--port', '0'], { OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}` })
        expect(await run.exited).toBe(0)
        expect(run.stderr).toBe('')
        expect(spans).toBe(run.total()[0])
        expect(metrics).toContain('websocket.server.message.process.duration')
      } finally {
        receiver.close()
      }
    },
    LIMIT,
  )

  it(
    'goes on and ends well when nobody listens at that endpoint, and says so',
    async () => {
      const endpoint = 'http://127.0.0.1:1'
      const run = demo(['--for', '500ms', '--port', '0'], { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint })
      expect(await run.exited).toBe(0)
      expect(run.stderr).toMatch(/^OpenTelemetry: connect ECONNREFUSED 127\.0\.0\.1:1$/m)
      const count = run.rows().length
      expect(run.total().slice(0, 3)).toEqual([count, count, count])
    },
    LIMIT,
  )

  it.each([
    [['smalltalk'], /^There is no demo 'smalltalk'\. Demos: fastify, .*\n$/],
    [['--fro', '8s'], /^Unknown option '--fro'/],
    [['fastify', '--for', 'ever'], /^--for takes a duration such as 500ms, 8s or 2m .*, not 'ever'\n/],
    [['fastify', 'now'], /^Unexpected argument 'now'/],
  ])('refuses %j with exit code 2', async (args, message) => {
    const run = demo(args)
    expect(await run.exited).toBe(2)
    expect(run.stdout).toBe('')
    expect(run.stderr).toMatch(message)
  })

  it('prints its usage', async () => {
    const run = demo(['--help'])
    expect(await run.exited).toBe(0)
    expect(run.stdout).toMatch(/^Usage: pnpm demo \[name\] \[options\]\n/)
    expect(run.stdout).toMatch(/^ {2}fastify /m)
    expect(run.stdout).toMatch(/^ {2}--for <duration> /m)
  })

  it('says so when its port is taken', () => expectPortTaken(demo, 'fastify-chat'))
})
