import { describe, expect, it } from 'vitest'
import { ownOptionsHelp, parseDemoArguments, UsageError } from '../src/arguments.ts'
import { formatBytes, formatDuration, parseDuration } from '../src/duration.ts'

describe('the command line', () => {
  it('has defaults', () => {
    expect(parseDemoArguments([])).toEqual({
      help: false,
      runFor: undefined,
      port: undefined,
      users: 5,
      viewer: true,
      metricsInterval: 3_000,
      own: {},
    })
  })

  it('takes durations and numbers', () => {
    const argv = ['--for', '8s', '--port=0', '--users', '12', '--metrics', '500ms', '--no-viewer', '-h']
    expect(parseDemoArguments(argv)).toEqual({
      help: true,
      runFor: 8_000,
      port: 0,
      users: 12,
      metricsInterval: 500,
      viewer: false,
      own: {},
    })
  })

  it.each([
    [['--for', 'ever'], "--for takes a duration such as 500ms, 8s or 2m (at most 24 days), not 'ever'"],
    [['--for', '8'], "--for takes a duration such as 500ms, 8s or 2m (at most 24 days), not '8'"],
    [['--metrics', '0s'], "--metrics takes a duration such as 500ms, 8s or 2m (at most 24 days), not '0s'"],
    [['--for', '1000h'], "--for takes a duration such as 500ms, 8s or 2m (at most 24 days), not '1000h'"],
    [['--users', '101'], "--users takes a whole number from 0 to 100, not '101'"],
    [['--port', '65536'], "--port takes a whole number from 0 to 65535, not '65536'"],
    [['--port', ''], "--port takes a whole number from 0 to 65535, not ''"],
  ])('refuses %j', (argv, message) => {
    expect(() => parseDemoArguments(argv)).toThrow(new UsageError(message))
  })

  it("takes a demo's own options", () => {
    const own = [
      { name: 'adapter', choices: ['cluster', 'redis'], help: 'how' },
      { name: 'outage', help: 'breaks it' },
    ]
    expect(parseDemoArguments([], own).own).toEqual({ adapter: 'cluster' })
    expect(parseDemoArguments(['--adapter', 'redis', '--outage'], own).own).toEqual({ adapter: 'redis', outage: true })
    expect(() => parseDemoArguments(['--adapter', 'x'], own)).toThrow(
      new UsageError("--adapter takes cluster, redis, not 'x'"),
    )
    expect(() => parseDemoArguments(['--outage'])).toThrow(UsageError)
    expect(ownOptionsHelp(own)).toBe(
      'Options of this demo:\n' +
        '  --adapter <cluster|redis>             how (default: cluster)\n' +
        '  --outage                              breaks it\n\n',
    )
    expect(ownOptionsHelp([])).toBe('')
  })

  it.each([[['--fro', '8s']], [['word']], [['--for']]])('refuses %j and names it', (argv) => {
    expect(() => parseDemoArguments(argv)).toThrow(UsageError)
    expect(() => parseDemoArguments(argv)).toThrow(argv[0])
  })
})

describe('durations and sizes', () => {
  it.each([
    ['8s', 8_000],
    ['500ms', 500],
    ['1.5m', 90_000],
    ['1h', 3_600_000],
    ['s', undefined],
    ['-1s', undefined],
    ['1d', undefined],
  ])('reads %s', (text, milliseconds) => {
    expect(parseDuration(text)).toBe(milliseconds)
  })

  it.each([
    [0, '0.00 ms'],
    [0.4211, '0.42 ms'],
    [9.96, '10.0 ms'],
    [99.6, '100 ms'],
    [999.6, '1.00 s'],
    [59_949, '59.9 s'],
    [59_960, '1.00 min'],
    [7_200_000, '2.00 h'],
  ])('writes %d ms as %s', (milliseconds, text) => {
    expect(formatDuration(milliseconds)).toBe(text)
  })

  it.each([
    [44, '44 B'],
    [999.6, '1.00 kB'],
    [65_536, '65.5 kB'],
    [2_500_000, '2.50 MB'],
  ])('writes %d bytes as %s', (bytes, text) => {
    expect(formatBytes(bytes)).toBe(text)
  })
})
